# misconception: you took the MACs at the mean exit; that is not the mean of the MACs
def expected_macs(exits, macs_per_exit):
    table = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    return table[exits.double().mean().round().long()]
