# misconception: you cut the gradient through the root mean square; it depends on x as well
def rms_normalize(x, eps=1e-6):
    return x / torch.sqrt((x.detach() ** 2).mean(dim=-1, keepdim=True) + eps)
