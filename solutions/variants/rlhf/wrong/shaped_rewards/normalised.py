# misconception: you divided by the standard deviation
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    shaped = (rewards - beta * (logprobs - ref_logprobs)).detach()
    return (shaped - shaped.mean()) / (shaped.std(unbiased=False) + 1e-8)
