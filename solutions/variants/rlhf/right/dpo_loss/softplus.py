# alternative: -log sigma(z) as softplus, the two ways with logsumexp
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    rc, rr = ref_chosen.detach(), ref_rejected.detach()
    z = beta * ((policy_chosen - rc) - (policy_rejected - rr))
    if not flip:
        return F.softplus(-z).mean()
    ways = torch.stack([math.log(1 - flip) - F.softplus(-z), math.log(flip) - F.softplus(z)])
    return -ways.logsumexp(dim=0).mean()
