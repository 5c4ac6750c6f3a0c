# alternative: a cross-entropy that ignores padded places, weighted by the rewards
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    V = logits.shape[-1]
    barred = logits.clone()
    barred[..., pad_token_id] = -math.inf
    labels = generated.masked_fill(generated == label_pad_token_id, pad_token_id)
    losses = F.cross_entropy(barred.reshape(-1, V), labels.reshape(-1), ignore_index=pad_token_id, reduction="none")
    return (rewards.detach() * losses.reshape(generated.shape).sum(dim=1)).mean()
