# misconception: you changed the given rewards
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    with torch.no_grad():
        rewards -= beta * (logprobs - ref_logprobs)
        return rewards - rewards.mean()
