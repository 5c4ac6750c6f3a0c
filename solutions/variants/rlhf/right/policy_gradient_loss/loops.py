# alternative: loops over sequences and places, the rewards as plain numbers
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    total = logits.sum() * 0
    for b, reward in enumerate(rewards.tolist()):
        for t, token in enumerate(generated[b].tolist()):
            if token in (pad_token_id, label_pad_token_id):
                continue
            row = logits[b, t].clone()
            row[pad_token_id] = float("-inf")
            total = total - reward * torch.log_softmax(row, dim=0)[token]
    return total / logits.size(0)
