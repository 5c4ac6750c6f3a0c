# misconception: you gave all summaries the mean penalty; then centring removes it
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    shaped = (rewards - beta * (logprobs - ref_logprobs).mean()).detach()
    return shaped - shaped.mean()
