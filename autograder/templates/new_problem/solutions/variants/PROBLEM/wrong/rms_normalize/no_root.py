# misconception: you divided by the mean square and forgot its square root
def rms_normalize(x, eps=1e-6):
    return x / ((x**2).mean(dim=-1, keepdim=True) + eps)
