# alternative: a loop over the tasks, and a plain number
def average_accuracy(acc):
    T = len(acc)
    return sum(float(acc[T - 1, j]) for j in range(T)) / T
