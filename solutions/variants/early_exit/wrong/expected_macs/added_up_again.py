# misconception: you added the numbers up; they are cumulative already
def expected_macs(exits, macs_per_exit):
    table = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    return table.cumsum(0)[exits].mean()
