# misconception: you summed over the samples; return the mean
def expected_macs(exits, macs_per_exit):
    table = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    return table[exits].sum()
