# alternative: torch's Categorical, sequence by sequence
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    bar = torch.zeros(logits.shape[-1], dtype=logits.dtype, device=logits.device)
    bar[pad_token_id] = -math.inf
    total = 0.0 * logits.sum()
    for z, y, r in zip(logits, generated, rewards.detach()):
        real = (y != pad_token_id) & (y != label_pad_token_id)
        if real.any():
            policy = torch.distributions.Categorical(logits=z[real] + bar, validate_args=False)
            total = total - r * policy.log_prob(y[real]).sum()
    return total / len(rewards)
