# alternative: the log-ratio of the reference is computed without gradient
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    with torch.no_grad():
        before = ref_chosen - ref_rejected
    z = beta * (policy_chosen - policy_rejected - before)
    log_error = math.log(flip) if flip else -math.inf
    return -torch.logaddexp(F.logsigmoid(z) + math.log1p(-flip), F.logsigmoid(-z) + log_error).mean()
