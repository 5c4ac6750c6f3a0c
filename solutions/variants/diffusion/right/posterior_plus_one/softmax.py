# alternative: a softmax over the two log joint probabilities
def posterior_plus_one(yt, y0, t, delta):
    c, kept = 1 - 2 * delta, per_image((1 - 2 * delta) ** (t - 1), y0)
    joint = torch.stack([torch.log(1 + s * c * yt) + torch.log(1 + s * kept * y0) for s in (1, -1)])
    return torch.softmax(joint, dim=0)[0]
