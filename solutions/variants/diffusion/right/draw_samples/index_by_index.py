# alternative: a loop over indices, with alpha_bar_0 as a special case
def draw_samples(model, x, times, alphas_bar, eta, noises):
    for i in range(len(times) - 1):
        t, s = times[i], times[i + 1]
        now = alphas_bar[t - 1]
        then = alphas_bar[s - 1] if s > 0 else torch.ones_like(now)
        error = model(x, torch.full((len(x),), t))
        picture = (x - (1 - now).sqrt() * error) / now.sqrt()
        sigma2 = eta**2 * (1 - then) / (1 - now) * (1 - now / then)
        x = then.sqrt() * picture + (1 - then - sigma2).clamp(min=0).sqrt() * error + sigma2.sqrt() * noises[i]
    return x
