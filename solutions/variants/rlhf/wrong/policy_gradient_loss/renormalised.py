# misconception: you divided by 1 - P(pad) after the softmax, which fails where P(pad) is 1
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    padded = (generated == pad_token_id) | (generated == label_pad_token_id)
    p = logits.softmax(dim=-1)
    p = p / (1 - p[..., pad_token_id : pad_token_id + 1])
    other = 1 if pad_token_id == 0 else 0
    taken = p.gather(2, generated.masked_fill(padded, other)[..., None])[..., 0]
    return -(rewards.detach() * taken.masked_fill(padded, 1.0).log().sum(dim=1)).mean()
