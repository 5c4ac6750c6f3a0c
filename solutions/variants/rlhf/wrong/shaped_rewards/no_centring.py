# misconception: you did not subtract the mean over the batch
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    return (rewards - beta * (logprobs - ref_logprobs)).detach()
