# misconception: p log p is nan where p is 0, so samples that are quite sure never leave; 0 log 0 counts as 0
def choose_exit(exit_logits, threshold):
    exits = torch.full((len(exit_logits[0]),), len(exit_logits) - 1)
    for number in reversed(range(len(exit_logits) - 1)):
        p = exit_logits[number].softmax(dim=1)
        exits[-(p * p.log()).sum(dim=1) < threshold] = number
    return exits
