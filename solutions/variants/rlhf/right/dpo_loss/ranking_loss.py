# alternative: each pair is a ranking of two summaries by their implied rewards
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    implied = [beta * (policy_chosen - ref_chosen.detach()), beta * (policy_rejected - ref_rejected.detach())]
    if flip == 0:
        return ranking_loss(torch.stack(implied, dim=1))
    z = implied[0] - implied[1]
    return -torch.logaddexp(F.logsigmoid(z) + math.log(1 - flip), F.logsigmoid(-z) + math.log(flip)).mean()
