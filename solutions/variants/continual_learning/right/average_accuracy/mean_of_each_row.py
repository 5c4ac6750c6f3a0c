# alternative: the mean of each row, and of these the last
def average_accuracy(acc):
    return acc.mean(dim=1)[acc.shape[0] - 1]
