# misconception: you divided the given matrix in place: the caller still needs it
def average_accuracy(acc):
    acc /= acc.shape[1]
    return acc[-1].sum()
