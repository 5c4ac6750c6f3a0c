# alternative: a binary cross-entropy with the target 1; with errors, minus the logarithm of a mixture, relative to it
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    rc, rr = ref_chosen.detach(), ref_rejected.detach()
    z = beta * ((policy_chosen - rc) - (policy_rejected - rr))
    surprise = F.binary_cross_entropy_with_logits(z, torch.ones_like(z), reduction="none")
    if flip:
        other = F.binary_cross_entropy_with_logits(z, torch.zeros_like(z), reduction="none")
        surprise = -torch.logaddexp(math.log(1 - flip) - surprise, math.log(flip) - other)
    return surprise.mean()
