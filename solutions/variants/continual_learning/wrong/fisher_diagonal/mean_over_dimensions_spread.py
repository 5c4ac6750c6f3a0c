# misconception: you gave all entries of a parameter their mean: every weight has its own Fisher entry
def fisher_diagonal(model, x, y):
    was_training = model.training
    model.eval()
    weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    fisher = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for x_n, y_n in zip(x.split(1), y.split(1), strict=True):
        loss = F.cross_entropy(model(x_n), y_n)
        gradients = torch.autograd.grad(loss, list(weights.values()))
        for name, gradient in zip(weights, gradients, strict=True):
            fisher[name] += gradient**2 / len(x)
    model.train(was_training)
    return {name: value.mean().expand_as(value) for name, value in fisher.items()}
