# alternative: cosine and sine of one angle
def q_sample(x0, t, alphas_bar, noise):
    angle = torch.acos(alphas_bar.sqrt())[t - 1].reshape([len(x0)] + [1] * (x0.dim() - 1))
    return torch.cos(angle) * x0 + torch.sin(angle) * noise
