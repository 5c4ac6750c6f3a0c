# misconception: you used the ratio of the probabilities instead of its logarithm
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    shaped = (rewards - beta * (logprobs - ref_logprobs).exp()).detach()
    return shaped - shaped.mean()
