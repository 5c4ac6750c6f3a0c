# alternative: the stable formula by hand; torch.maximum() shares the gradient where both are equal, so it is right at 0, too
def discriminator_loss(real_logits, fake_logits):
    def softplus(a):
        return torch.maximum(a, torch.zeros_like(a)) + torch.log1p(torch.exp(-a.abs()))

    return softplus(-real_logits).mean() + softplus(fake_logits).mean()
