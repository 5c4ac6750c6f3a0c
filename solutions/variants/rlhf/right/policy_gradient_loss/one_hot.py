# alternative: one-hot rows that pick the log-probabilities, with a finite mask value
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    z = logits.clone()
    z[:, :, pad_token_id] = torch.finfo(logits.dtype).min
    log_p = z - z.logsumexp(dim=-1, keepdim=True)
    real = ~((generated == pad_token_id) | (generated == label_pad_token_id))
    tokens = torch.where(real, generated, torch.zeros_like(generated))
    picked = (F.one_hot(tokens, logits.shape[-1]).bool() & real[..., None])
    chosen = torch.where(picked, log_p, torch.zeros_like(log_p)).sum(dim=(1, 2))
    return (-rewards.detach() * chosen).sum() / len(rewards)
