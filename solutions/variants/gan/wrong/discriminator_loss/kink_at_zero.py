# misconception: you computed max(a, 0) with clamp(), which has the wrong derivative at a logit of exactly 0
def discriminator_loss(real_logits, fake_logits):
    def softplus(a):
        return a.clamp(min=0) + torch.log1p(torch.exp(-a.abs()))

    return softplus(-real_logits).mean() + softplus(fake_logits).mean()
