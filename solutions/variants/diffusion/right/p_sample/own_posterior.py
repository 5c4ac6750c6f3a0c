# alternative: written out in float64
def p_sample(model, xt, t, betas, noise):
    x, e = xt.double(), model(xt, t).double()
    table = torch.cat([torch.ones(1).double(), torch.cumprod(1 - betas.double(), 0)])
    a, b, beta = (per_image(v, xt) for v in (table[t], table[t - 1], betas.double()[t - 1]))
    x0 = x / a.sqrt() - ((1 - a) / a).sqrt() * e
    mean = (b.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - b) * x) / (1 - a)
    return (mean + (beta * (1 - b) / (1 - a)).sqrt() * noise).to(xt.dtype)
