# alternative: multiplies step by step
def replaced_probability(t, delta):
    escaped = []
    for steps in t.tolist():
        chance = 1.0
        for _ in range(steps):
            chance *= 1 - 2 * delta
        escaped.append(chance)
    return 1 - torch.tensor(escaped)
