# alternative: a loop from the last exit to the first
def choose_exit(exit_logits, threshold):
    exits = torch.full((len(exit_logits[0]),), len(exit_logits) - 1)
    for i in range(len(exit_logits) - 2, -1, -1):
        exits[prediction_entropy(exit_logits[i]) < threshold] = i
    return exits
