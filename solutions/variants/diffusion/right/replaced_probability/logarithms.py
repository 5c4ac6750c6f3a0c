# alternative: in logarithms, exact for tiny delta, too
def replaced_probability(t, delta):
    if delta == 0.5:
        return (t > 0).float()
    return -torch.expm1(t * math.log1p(-2 * delta))
