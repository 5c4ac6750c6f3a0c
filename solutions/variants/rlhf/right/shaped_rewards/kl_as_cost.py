# alternative: the reference's side rewarded, the policy's charged
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    gain = rewards.detach() + beta * ref_logprobs.detach()
    cost = beta * logprobs.detach()
    return gain - cost - (gain - cost).sum() / len(rewards)
