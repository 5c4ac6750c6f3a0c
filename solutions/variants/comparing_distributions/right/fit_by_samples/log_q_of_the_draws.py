# alternative: the whole integrand log q(z) - log p(z), averaged over antithetic draws
def fit_by_samples(log_p, mean, std, generator=None):
    theta = torch.tensor([float(mean), math.log(std)], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([theta], lr=0.1)
    for step in range(600):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * (1 - step / 600)
        noise = torch.randn(100, generator=generator, dtype=torch.float64)
        noise = torch.cat([noise, -noise])
        q = torch.distributions.Normal(theta[0], theta[1].exp())
        z = q.loc + q.scale * noise
        loss = (q.log_prob(z) - log_p(z)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    m, log_s = theta.detach()
    return m, log_s.exp()
