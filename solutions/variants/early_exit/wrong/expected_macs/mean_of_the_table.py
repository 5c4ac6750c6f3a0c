# misconception: you took the mean over the exits, however many leave at each
def expected_macs(exits, macs_per_exit):
    table = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    return table.mean()
