# misconception: you treated macs_per_exit as a tensor; it may be a list of numbers
def expected_macs(exits, macs_per_exit):
    return macs_per_exit[exits].mean()
