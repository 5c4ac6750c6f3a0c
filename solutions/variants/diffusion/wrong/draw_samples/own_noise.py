# misconception: you drew your own noise instead of using the given noises
def draw_samples(model, x, times, alphas_bar, eta, noises):
    table = torch.cat([torch.ones_like(alphas_bar[:1]), alphas_bar])
    for i in range(len(times) - 1):
        t, s = times[i], times[i + 1]
        now, then = table[t], table[s]
        error = model(x, torch.full((len(x),), t))
        picture = (x - (1 - now).sqrt() * error) / now.sqrt()
        sigma2 = eta**2 * (1 - then) / (1 - now) * (1 - now / then)
        x = then.sqrt() * picture + (1 - then - sigma2).clamp(min=0).sqrt() * error + sigma2.sqrt() * torch.randn_like(x)
    return x
