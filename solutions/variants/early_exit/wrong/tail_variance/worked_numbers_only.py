# misconception: you wrote a table for the first numbers of terms; the formula holds for all
def tail_variance(k):
    table = torch.tensor([2.0, 1.0, 0.5, 0.25])
    k = torch.as_tensor(k)
    return table[k.clamp(max=3)]
