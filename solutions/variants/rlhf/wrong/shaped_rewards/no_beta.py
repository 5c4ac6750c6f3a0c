# misconception: you left beta out
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    shaped = (rewards - (logprobs - ref_logprobs)).detach()
    return shaped - shaped.mean()
