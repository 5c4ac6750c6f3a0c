# misconception: you subtracted the mean of the rewards only, not that of the penalty
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    return (rewards - rewards.mean() - beta * (logprobs - ref_logprobs)).detach()
