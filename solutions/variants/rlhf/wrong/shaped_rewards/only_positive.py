# misconception: you cut the log-ratio off at 0: what became less likely gets its bonus, too
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    r = (rewards - beta * (logprobs - ref_logprobs).clamp(min=0)).detach()
    return r - r.mean()
