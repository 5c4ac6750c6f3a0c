# misconception: you changed m in place: the caller still needs it
def probability_negative(m, k):
    sd = torch.as_tensor(tail_variance(k), dtype=m.dtype).sqrt()
    return m.div_(sd * 2**0.5).erfc_().mul_(0.5)
