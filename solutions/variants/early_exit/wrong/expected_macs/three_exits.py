# misconception: you wrote it for three exits only
def expected_macs(exits, macs_per_exit):
    table = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    shares = torch.stack([(exits == i).double().mean() for i in range(min(3, len(table)))])
    return (shares * table[: len(shares)]).sum()
