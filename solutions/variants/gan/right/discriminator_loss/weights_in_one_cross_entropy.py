# alternative: one cross-entropy over both batches, with weights that make it the sum of two means
def discriminator_loss(real_logits, fake_logits):
    logits = torch.cat([real_logits.flatten(), fake_logits.flatten()])
    sizes = [real_logits.numel(), fake_logits.numel()]
    labels = torch.cat([logits.new_full((n,), label) for n, label in zip(sizes, (1.0, 0.0), strict=True)])
    weights = torch.cat([logits.new_full((n,), 1 / n) for n in sizes])
    return F.binary_cross_entropy_with_logits(logits, labels, weight=weights, reduction="sum")
