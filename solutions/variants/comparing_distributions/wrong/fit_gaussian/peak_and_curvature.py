# misconception: you used the peak and its curvature (a Laplace approximation) instead of the reverse fit
def fit_gaussian(log_p, grid, direction):
    x, log_p = grid.double(), torch.log_softmax(log_p.double(), dim=0)
    p = log_p.exp()
    mean = (p * x).sum()
    std = (p * (x - mean) ** 2).sum().sqrt()
    if direction == "forward":
        return float(mean), float(std)

    i = int(log_p.argmax())
    step = x[1] - x[0]
    curvature = (log_p[i + 1] - 2 * log_p[i] + log_p[i - 1]) / step**2
    return float(x[i]), float((-curvature).clamp(min=1e-6).rsqrt())
