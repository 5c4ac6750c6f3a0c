# misconception: you left the penalty out
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    return (rewards - rewards.mean()).detach()
