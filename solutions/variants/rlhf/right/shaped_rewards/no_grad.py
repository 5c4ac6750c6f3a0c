# alternative: without gradients, in two centred parts
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    with torch.no_grad():
        ratio = logprobs - ref_logprobs
        return (rewards - rewards.mean()) - beta * (ratio - ratio.mean())
