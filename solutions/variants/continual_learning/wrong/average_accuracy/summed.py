# misconception: you added the accuracies up and did not average
def average_accuracy(acc):
    return acc[-1].sum()
