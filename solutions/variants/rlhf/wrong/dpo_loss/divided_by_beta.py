# misconception: you divided the log-ratio by beta; solved for the reward, beta multiplies it
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    rc, rr = ref_chosen.detach(), ref_rejected.detach()
    z = 1 / beta * ((policy_chosen - rc) - (policy_rejected - rr))
    if flip == 0:
        return -F.logsigmoid(z).mean()
    return -torch.logaddexp(F.logsigmoid(z) + math.log(1 - flip), F.logsigmoid(-z) + math.log(flip)).mean()
