# misconception: you let all samples wait for the slowest sample
def expected_macs(exits, macs_per_exit):
    table = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    return table[exits.max()]
