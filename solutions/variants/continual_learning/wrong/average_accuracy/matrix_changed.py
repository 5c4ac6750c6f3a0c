# misconception: you divided the matrix that was given in place: whoever draws it gets other numbers
def average_accuracy(acc):
    acc /= acc.shape[1]
    return acc[-1].sum()
