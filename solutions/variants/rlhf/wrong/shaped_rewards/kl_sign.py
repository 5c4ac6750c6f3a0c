# misconception: you added the penalty: what strays from the reference is paid for it
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    shaped = (rewards + beta * (logprobs - ref_logprobs)).detach()
    return shaped - shaped.mean()
