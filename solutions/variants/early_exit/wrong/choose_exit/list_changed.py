# misconception: you replaced the logits in the given list by their entropies
def choose_exit(exit_logits, threshold):
    for i in range(len(exit_logits)):
        exit_logits[i] = prediction_entropy(exit_logits[i])
    exits = torch.full_like(exit_logits[0], len(exit_logits) - 1).long()
    for i in reversed(range(len(exit_logits) - 1)):
        exits[exit_logits[i] < threshold] = i
    return exits
