# alternative: the probabilities are added if flip keeps the sum away from 0
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    rc, rr = ref_chosen.detach(), ref_rejected.detach()
    z = beta * ((policy_chosen - rc) - (policy_rejected - rr))
    if flip > 0:
        return -torch.log(flip + (1 - 2 * flip) * torch.sigmoid(z)).mean()
    return -F.logsigmoid(z).mean()
