# misconception: you made the difference smaller by the factor 1 - 2 flip; flip changes the probability, not the difference
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    rc, rr = ref_chosen.detach(), ref_rejected.detach()
    z = beta * ((policy_chosen - rc) - (policy_rejected - rr))
    return -F.logsigmoid((1 - 2 * flip) * z).mean()
