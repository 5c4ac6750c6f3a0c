# misconception: you averaged the whole matrix
def average_accuracy(acc):
    return acc.mean()
