# misconception: you counted up to the exit before
def expected_macs(exits, macs_per_exit):
    table = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    return table[(exits - 1).clamp(min=0)].mean()
