# misconception: you normalised over the positions instead of over the vocabulary
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    barred = torch.arange(logits.shape[-1], device=logits.device) == pad_token_id
    log_p = torch.log_softmax(logits.masked_fill(barred, -math.inf), dim=1)
    padded = (generated == pad_token_id) | (generated == label_pad_token_id)
    harmless = 1 if pad_token_id == 0 else 0
    chosen = log_p.gather(2, generated.masked_fill(padded, harmless)[..., None])[..., 0]
    sequence = chosen.masked_fill(padded, 0.0).sum(dim=1)
    return -(rewards.detach() * sequence).mean()
