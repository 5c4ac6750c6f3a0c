# misconception: no loss can be computed from what torch.inference_mode() returns; detach the result instead
@torch.inference_mode()
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    penalized = rewards - beta * (logprobs - ref_logprobs)
    return penalized - penalized.mean()
