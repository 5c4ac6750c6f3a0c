# misconception: you overwrote the padded positions of the given tokens
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    padded = (generated == pad_token_id) | (generated == label_pad_token_id)
    generated[padded] = 1 if pad_token_id == 0 else 0
    barred = torch.zeros_like(logits)
    barred[..., pad_token_id] = -math.inf
    log_p = (logits + barred).log_softmax(dim=-1)
    chosen = log_p.gather(2, generated[..., None])[..., 0]
    return -(rewards.detach() * chosen.masked_fill(padded, 0.0).sum(dim=1)).mean()
