# misconception: you wrote -100 instead of label_pad_token_id
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    padded = (generated == pad_token_id) | (generated == -100)
    barred = F.one_hot(torch.tensor(pad_token_id), logits.shape[-1]).bool()
    log_p = logits.masked_fill(barred, -math.inf).log_softmax(dim=-1)
    other = 1 if pad_token_id == 0 else 0
    taken = log_p.gather(2, generated.masked_fill(padded, other)[..., None])[..., 0].masked_fill(padded, 0.0)
    return -(rewards.detach() * taken.sum(dim=1)).mean()
