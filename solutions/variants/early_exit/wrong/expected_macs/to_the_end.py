# misconception: you counted the work of the whole network for all samples
def expected_macs(exits, macs_per_exit):
    table = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    return table[-1]
