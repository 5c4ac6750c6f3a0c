# alternative: torch's correlation of ranks found by sorting
def spearman(rewards):
    found = []
    for row in rewards.double():
        ordered = row.sort().values
        first, last = torch.searchsorted(ordered, row), torch.searchsorted(ordered, row, right=True)
        ranks = (first + last + 1) / 2
        wanted = torch.arange(len(row), 0, -1, dtype=torch.float64)
        found.append(torch.corrcoef(torch.stack([ranks.double(), wanted]))[0, 1].nan_to_num(0.0))
    return torch.stack(found).mean()
