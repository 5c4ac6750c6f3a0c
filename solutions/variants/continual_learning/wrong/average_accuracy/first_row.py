# misconception: you took the first row: the network after its first task
def average_accuracy(acc):
    return acc[0].mean()
