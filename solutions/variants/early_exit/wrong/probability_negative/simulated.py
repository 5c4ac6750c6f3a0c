# misconception: you simulated the tail, which cannot measure small probabilities; the formula can
def probability_negative(m, k):
    sd = torch.as_tensor(tail_variance(k), dtype=m.dtype).sqrt()
    g = torch.Generator().manual_seed(0)
    tail = torch.randn(1000, len(m), generator=g, dtype=m.dtype) * sd
    return (m + tail <= 0).to(m.dtype).mean(0)
