# alternative: asks for the gradient by the draws only, and multiplies by the derivatives of m + s * e itself
def fit_by_samples(log_p, mean, std, generator=None):
    m, log_s = float(mean), math.log(float(std))
    steps = 700
    for step in range(steps):
        s = math.exp(log_s)
        e = torch.randn(300, generator=generator, dtype=torch.float64)
        z = (m + s * e).requires_grad_()
        (slope,) = torch.autograd.grad(log_p(z).sum(), z)
        rate = 0.25 * (1 - step / steps)
        m -= max(-0.3, min(0.3, rate * s * s * -float(slope.mean())))
        log_s -= max(-0.2, min(0.2, rate * (-1.0 - float((slope * s * e).mean()))))
    return m, math.exp(log_s)
