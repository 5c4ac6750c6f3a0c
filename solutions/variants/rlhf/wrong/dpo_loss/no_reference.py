# misconception: you left the reference out: the implied reward compares policy and reference
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    z = beta * (policy_chosen - policy_rejected)
    if flip == 0:
        return -F.logsigmoid(z).mean()
    return -torch.logaddexp(F.logsigmoid(z) + math.log(1 - flip), F.logsigmoid(-z) + math.log(flip)).mean()
