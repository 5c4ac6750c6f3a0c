# alternative: a loop over the earlier tasks
def forgetting(acc):
    T = len(acc)
    lost = [max(float(acc[i, j]) for i in range(T)) - float(acc[T - 1, j]) for j in range(T - 1)]
    return torch.tensor(sum(lost) / len(lost))
