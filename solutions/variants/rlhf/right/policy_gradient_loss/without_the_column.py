# alternative: the pad token's column is cut out and the numbers above it move down
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    kept = torch.cat([logits[..., :pad_token_id], logits[..., pad_token_id + 1 :]], dim=-1)
    counted = (generated != pad_token_id) & (generated != label_pad_token_id)
    index = torch.where(counted, generated - (generated > pad_token_id).long(), 0)
    chosen = torch.take_along_dim(kept, index.unsqueeze(-1), dim=-1).squeeze(-1) - kept.logsumexp(dim=-1)
    with torch.no_grad():
        weights = rewards.unsqueeze(-1) * counted / len(rewards)
    return -torch.einsum("bt,bt->", weights.to(chosen.dtype), chosen)
