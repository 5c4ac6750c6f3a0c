# misconception: you clamped the log-ratio at 0: a summary that became less likely must get a bonus
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    r = (rewards - beta * (logprobs - ref_logprobs).clamp(min=0)).detach()
    return r - r.mean()
