# alternative: in float64 under no_grad, the times as a tensor
def draw_samples(model, x, times, alphas_bar, eta, noises):
    steps = torch.tensor(times)
    table = F.pad(alphas_bar.double(), (1, 0), value=1.0)[steps]
    y = x.double()
    with torch.no_grad():
        for i in range(len(steps) - 1):
            error = model(y.to(x.dtype), steps[i].repeat(len(x))).double()
            a, b = table[i], table[i + 1]
            variance = eta**2 * (1 - b) * (b - a) / (b * (1 - a))
            y = (b / a).sqrt() * (y - (1 - a).sqrt() * error) + (1 - b - variance).clamp(min=0).sqrt() * error
            y = y + variance.sqrt() * noises[i]
    return y.to(x.dtype)
