# alternative: the gradient with torch.func, in float32, and steps of a momentum method
def fit_by_samples(log_p, mean, std, generator=None):
    def divergence(theta, noise):
        return -theta[1] - log_p(theta[0] + theta[1].exp() * noise).mean()

    slope_of = torch.func.grad(divergence)
    theta, speed = torch.tensor([float(mean), math.log(float(std))]), torch.zeros(2)
    steps, half = 1000, []
    for step in range(steps):
        slope = slope_of(theta, torch.randn(200, generator=generator))
        scale = torch.stack([theta[1].exp() ** 2, torch.ones(())])  # a natural gradient, up to factors
        speed = 0.8 * speed + 0.2 * (scale * slope).clamp(-2, 2)
        theta = theta - 0.2 * (1 - step / steps) * speed
    return float(theta[0]), float(theta[1].exp())
