# alternative: softplus(-a) = softplus(a) - a, computed in float64
def generator_loss_nonsaturating(fake_logits):
    logits = fake_logits.double()
    return (F.softplus(logits) - logits).mean().to(fake_logits.dtype)
