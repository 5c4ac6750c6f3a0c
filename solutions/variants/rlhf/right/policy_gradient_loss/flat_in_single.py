# alternative: in single precision, only the counted places, added up by sequence
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    b, t = torch.where((generated != pad_token_id) & (generated != label_pad_token_id))
    rows = logits[b, t].float()
    bar = torch.zeros(logits.shape[-1])
    bar[pad_token_id] = torch.finfo(torch.float32).min
    log_p = -F.cross_entropy(rows + bar, generated[b, t], reduction="none")
    return -(log_p * rewards.detach().float()[b]).sum() / len(generated)
