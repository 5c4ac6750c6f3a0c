# misconception: you turned label_pad_token_id into token 0 (clamp), which is padding only if pad_token_id is 0
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    barred = torch.arange(logits.shape[-1], device=logits.device) == pad_token_id
    log_p = torch.log_softmax(logits.masked_fill(barred, -math.inf), dim=-1)
    tokens = generated.clamp(min=0)
    chosen = log_p.gather(2, tokens[..., None])[..., 0].masked_fill(tokens == pad_token_id, 0.0)
    return -(rewards.detach() * chosen.sum(dim=1)).mean()
