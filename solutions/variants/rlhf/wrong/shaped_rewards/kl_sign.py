# misconception: you added the penalty instead of subtracting it: moving away from the reference is rewarded
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    shaped = (rewards + beta * (logprobs - ref_logprobs)).detach()
    return shaped - shaped.mean()
