# misconception: you sent all samples to the last exit
def choose_exit(exit_logits, threshold):
    return torch.full((len(exit_logits[0]),), len(exit_logits) - 1)
