# misconception: you gave torch's kl_div its arguments in the wrong order: it computes KL(target || input), the input as logarithms
def kl_divergence(p, q):
    return torch.nn.functional.kl_div(p.log(), q, reduction="sum")
