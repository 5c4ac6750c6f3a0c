# misconception: you cut the gradient through the draws: only -log s has one then
def fit_by_samples(log_p, mean, std, generator=None):
    steps, draws = 600, 256
    parameters = torch.tensor([float(mean), math.log(float(std))], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([parameters], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        m, log_s = parameters
        z = m + log_s.exp() * torch.randn(draws, generator=generator, dtype=torch.float64)  # [D]
        divergence = -log_s - log_p(z.detach()).mean()
        optimizer.zero_grad()
        divergence.backward()
        optimizer.step()
        schedule.step()
    m, log_s = parameters.detach()
    return float(m), float(log_s.exp())
