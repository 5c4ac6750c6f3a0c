# alternative: a deviation through softplus, float32, the mean over the last steps
def fit_by_samples(log_p, mean, std, generator=None):
    rho = math.log(math.expm1(float(std)))
    theta = torch.tensor([float(mean), rho], requires_grad=True)
    optimizer = torch.optim.Adam([theta], lr=0.05)
    late = []
    for step in range(900):
        m, s = theta[0], torch.nn.functional.softplus(theta[1])
        z = m + s * torch.randn(200, generator=generator)
        loss = -s.log() - log_p(z).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step >= 600:
            late.append((m.item(), s.item()))
    return sum(m for m, _ in late) / 300, sum(s for _, s in late) / 300
