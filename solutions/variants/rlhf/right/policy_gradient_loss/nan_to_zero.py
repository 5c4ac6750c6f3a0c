# alternative: gathers at the pad token itself, where the log-probability is -inf, and picks with where
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    logits = logits.clone()
    logits[..., pad_token_id] = -torch.inf
    ignore = torch.logical_or(generated == pad_token_id, generated == label_pad_token_id)
    index = torch.where(ignore, pad_token_id, generated)
    log_p = logits.log_softmax(-1).gather(-1, index.unsqueeze(-1)).squeeze(-1)
    per_sequence = torch.where(ignore, torch.zeros_like(log_p), log_p).sum(-1)
    return torch.mean(-rewards.detach() * per_sequence)
