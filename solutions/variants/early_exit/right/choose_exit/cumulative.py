# alternative: how many exits come before the first sure one
def choose_exit(exit_logits, threshold):
    if len(exit_logits) == 1:
        return torch.zeros(len(exit_logits[0]), dtype=torch.long)
    unsure = torch.stack([prediction_entropy(z) >= threshold for z in exit_logits[:-1]])
    return unsure.long().cumprod(0).sum(0)
