# alternative: tokens are chosen by a product with a float32 one-hot
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    V = logits.shape[-1]
    counts = ((generated != pad_token_id) & (generated != label_pad_token_id)).float()  # [B, T]
    tokens = F.one_hot(torch.where(counts > 0, generated, 0), V).float()
    barred = 1e9 * F.one_hot(torch.tensor(pad_token_id), V).float()
    chosen = torch.einsum("btv,btv->bt", tokens, torch.log_softmax(logits - barred, dim=-1))
    return -(rewards.detach() * torch.where(counts > 0, chosen, torch.zeros(())).sum(1)).mean()
