# misconception: you counted only the way in which the rater does not err; the chosen summary is also named if the rater prefers the other one and errs
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    rc, rr = ref_chosen.detach(), ref_rejected.detach()
    z = beta * ((policy_chosen - rc) - (policy_rejected - rr))
    return -(F.logsigmoid(z) + math.log(1 - flip)).mean()
