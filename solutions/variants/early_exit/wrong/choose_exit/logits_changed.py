# misconception: you normalised the given logits in place: the caller still needs them
def choose_exit(exit_logits, threshold):
    sure = []
    for logits in exit_logits:
        logits.sub_(logits.logsumexp(dim=1, keepdim=True))
        sure.append(-(logits.exp() * logits).sum(dim=1) < threshold)
    sure[-1] = torch.ones_like(sure[-1])
    return torch.stack(sure).int().argmax(dim=0)
