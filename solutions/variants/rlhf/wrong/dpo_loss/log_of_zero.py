# misconception: you took the logarithm of flip = 0, which does not exist: this case needs a line of its own
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    rc, rr = ref_chosen.detach(), ref_rejected.detach()
    z = beta * ((policy_chosen - rc) - (policy_rejected - rr))
    return -torch.logaddexp(F.logsigmoid(z) + math.log(1 - flip), F.logsigmoid(-z) + math.log(flip)).mean()
