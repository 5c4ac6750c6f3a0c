# misconception: you took the mean over the exits that were used, not over the samples
def expected_macs(exits, macs_per_exit):
    table = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    return table[exits.unique()].mean()
