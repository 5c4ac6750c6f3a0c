# misconception: you subtracted the mean of the others, without the summary itself
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    r = (rewards - beta * (logprobs - ref_logprobs)).detach()
    B = len(r)
    return r - (r.sum() - r) / max(1, B - 1)
