# misconception: you took the absolute value of the log-ratio
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    shaped = (rewards - beta * (logprobs - ref_logprobs).abs()).detach()
    return shaped - shaped.mean()
