# alternative: x_s as a mixture of the picture and x_t, with the deviation of new noise from the normal posterior
def draw_samples(model, x, times, alphas_bar, eta, noises):
    table = [1.0, *alphas_bar.tolist()]
    for t, s, e in zip(times, times[1:], noises):
        a, b = table[t], table[s]
        picture = (x - (1 - a) ** 0.5 * model(x, torch.full((x.shape[0],), t, dtype=torch.long))) / a**0.5
        sigma = eta * (max(0.0, (1 - b) * (1 - a / b) / (1 - a))) ** 0.5
        share = (max(0.0, 1 - b - sigma**2) / (1 - a)) ** 0.5
        x = b**0.5 * picture + share * (x - a**0.5 * picture) + sigma * e
    return x
