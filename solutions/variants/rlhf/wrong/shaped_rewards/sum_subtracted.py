# misconception: you subtracted the sum over the batch
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    shaped = (rewards - beta * (logprobs - ref_logprobs)).detach()
    return shaped - shaped.sum()
