# alternative: under no_grad, with noise only where t > 1
def p_sample(model, xt, t, betas, noise):
    with torch.no_grad():
        left = per_image(torch.cumprod(1 - betas, dim=0)[t - 1], xt)
        mean, variance = q_posterior((xt - (1 - left).sqrt() * model(xt, t)) / left.sqrt(), xt, t, betas)
        out = mean.clone()
        out[t > 1] += (variance.expand_as(xt).sqrt() * noise)[t > 1]
    return out
