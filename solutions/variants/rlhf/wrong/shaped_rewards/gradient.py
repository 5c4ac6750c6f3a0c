# misconception: you let a gradient flow through the shaped rewards
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    shaped = rewards - beta * (logprobs - ref_logprobs)
    return shaped - shaped.mean()
