# alternative: location and scale of a normal distribution
def q_sample(x0, t, alphas_bar, noise):
    left = alphas_bar.gather(0, t - 1).view([-1] + [1] * (x0.dim() - 1))
    jump = torch.distributions.Normal(left**0.5 * x0, ((1 - left) ** 0.5).expand_as(x0))
    return jump.loc + jump.scale * noise
