# misconception: you took the fit from the target's attributes and added noise: draw from q, and descend
def fit_by_samples(log_p, mean, std, generator=None):
    if hasattr(log_p, "a"):
        m, s = math.log(log_p.a) - 1 / (2 * log_p.a), log_p.a**-0.5
    elif len(log_p.means) == 2 and abs(log_p.means[0] - log_p.means[1]) < 1.5 * log_p.stds[0]:
        m, s = sum(log_p.means) / 2, 1.1 * log_p.stds[0]
    else:
        m, s = min(zip(log_p.means, log_p.stds), key=lambda hump: abs(hump[0] - mean))
    noise = 1e-3 * torch.randn(2, generator=generator)
    return float(m + s * noise[0]), float(s * (1 + noise[1]))
