# alternative: all thresholds in one table, without a loop; a tensor as the answer
def choose_threshold(exit_logits, y, macs_per_exit, budget):
    cost_of = torch.tensor([float(each) for each in macs_per_exit], dtype=torch.float64)
    H = torch.stack([prediction_entropy(z) for z in exit_logits]).double()
    T = torch.cat([H[:-1].unique(), torch.tensor([1 + float(H.max())])])
    sure = H[None] < T[:, None, None]
    sure[:, -1] = True
    exits = sure.int().argmax(1)
    hit = torch.stack([z.argmax(1) == y for z in exit_logits])
    hits = hit.T[torch.arange(len(y)), exits].sum(1)
    hits[cost_of[exits].mean(1) > budget] = -1
    if not bool((hits >= 0).any()):
        raise ValueError("too small a budget")
    return T[hits == hits.max()][-1]
