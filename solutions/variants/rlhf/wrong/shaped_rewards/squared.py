# misconception: you took half the square of the log-ratio
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    r = (rewards - beta * (logprobs - ref_logprobs) ** 2 / 2).detach()
    return r - r.mean()
