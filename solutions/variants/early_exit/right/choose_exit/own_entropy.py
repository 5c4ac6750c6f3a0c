# alternative: its own entropy, sample by sample
def choose_exit(exit_logits, threshold):
    exits = []
    for b in range(len(exit_logits[0])):
        for i, z in enumerate(exit_logits):
            if torch.special.entr(z[b].softmax(0)).sum() < threshold or i == len(exit_logits) - 1:
                exits.append(i)
                break
    return torch.tensor(exits)
