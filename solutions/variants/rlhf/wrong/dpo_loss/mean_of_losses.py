# misconception: you averaged two losses, as label smoothing does; the judgement is one event that can happen in two ways: add the probabilities and take the logarithm of the sum
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    rc, rr = ref_chosen.detach(), ref_rejected.detach()
    z = beta * ((policy_chosen - rc) - (policy_rejected - rr))
    return -((1 - flip) * F.logsigmoid(z) + flip * F.logsigmoid(-z)).mean()
