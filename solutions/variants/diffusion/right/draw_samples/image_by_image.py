# alternative: follows each image to the end before the next one
def draw_samples(model, x, times, alphas_bar, eta, noises):
    table = torch.cat([torch.ones(1), alphas_bar])
    images = [x[k : k + 1] for k in range(len(x))]
    for i, (t, s) in enumerate(zip(times, times[1:])):
        now, then = table[t], table[s]
        sigma2 = eta**2 * (1 - then) / (1 - now) * (1 - now / then)
        results = []
        for k, image in enumerate(images):
            error = model(image, torch.tensor([t]))
            picture = (image - (1 - now).sqrt() * error) / now.sqrt()
            rest = (1 - then - sigma2).clamp(min=0).sqrt() * error
            results.append(then.sqrt() * picture + rest + sigma2.sqrt() * noises[i][k : k + 1])
        images = results
    return torch.cat(images)
