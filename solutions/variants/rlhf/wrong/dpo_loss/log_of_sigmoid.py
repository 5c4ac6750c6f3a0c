# misconception: you took the logarithm of the sigmoid in two steps: for a large difference the sigmoid is rounded to 0
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    rc, rr = ref_chosen.detach(), ref_rejected.detach()
    z = beta * ((policy_chosen - rc) - (policy_rejected - rr))
    p = torch.sigmoid(z)
    return -torch.log((1 - flip) * p + flip * (1 - p)).mean()
