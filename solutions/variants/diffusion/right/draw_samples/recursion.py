# alternative: the first jump, then itself for the rest
def draw_samples(model, x, times, alphas_bar, eta, noises):
    if len(times) < 2:
        return x
    t, s, *_ = times
    now = float(alphas_bar[t - 1])
    then = float(alphas_bar[s - 1]) if s else 1.0
    error = model(x, torch.tensor([t] * len(x)))
    sigma = eta * math.sqrt((1 - then) / (1 - now) * (1 - now / then))
    direction = math.sqrt(max(0.0, 1 - then - sigma**2)) * error
    x = math.sqrt(then / now) * (x - math.sqrt(1 - now) * error) + direction + sigma * noises[0]
    return draw_samples(model, x, times[1:], alphas_bar, eta, noises[1:])
