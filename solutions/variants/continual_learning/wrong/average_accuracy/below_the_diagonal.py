# misconception: you averaged over the whole time, not over the end
def average_accuracy(acc):
    return acc.tril().sum() / torch.ones_like(acc).tril().sum()
