# misconception: you detached the policy's log-probabilities only
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    shaped = rewards - beta * (logprobs.detach() - ref_logprobs)
    return shaped - shaped.mean()
