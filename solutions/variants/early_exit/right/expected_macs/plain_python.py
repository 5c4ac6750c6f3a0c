# alternative: a plain number, added up in Python
def expected_macs(exits, macs_per_exit):
    return sum(float(macs_per_exit[i]) for i in exits.tolist()) / len(exits)
