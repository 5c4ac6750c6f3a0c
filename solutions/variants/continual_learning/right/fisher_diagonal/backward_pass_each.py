# alternative: a backward pass for each sample
def fisher_diagonal(model, x, y):
    was_training = model.training
    model.eval()
    weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    fisher = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for n in range(len(x)):
        model.zero_grad()
        F.cross_entropy(model(x[n : n + 1]), y[n : n + 1]).backward()
        for name, weight in weights.items():
            fisher[name] += weight.grad.detach() ** 2
    model.zero_grad()
    model.train(was_training)
    return {name: value / len(x) for name, value in fisher.items()}
