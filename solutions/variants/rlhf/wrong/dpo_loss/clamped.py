# misconception: you clamped the difference: beyond the bound the gradient is 0, and a pair that is ranked very wrongly is never learnt
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    rc, rr = ref_chosen.detach(), ref_rejected.detach()
    z = beta * ((policy_chosen - rc) - (policy_rejected - rr))
    z = z.clamp(-30, 30)
    if flip == 0:
        return -F.logsigmoid(z).mean()
    return -torch.logaddexp(F.logsigmoid(z) + math.log(1 - flip), F.logsigmoid(-z) + math.log(flip)).mean()
