# misconception: you used a hinge, max(0, 1 - z); the Bradley-Terry model gives minus the logarithm of a sigmoid
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    rc, rr = ref_chosen.detach(), ref_rejected.detach()
    z = beta * ((policy_chosen - rc) - (policy_rejected - rr))
    return (1 - 2 * flip) * F.relu(1 - z).mean()
