# misconception: you divided the sum of the squares by N - 1; their mean divides by N
def fisher_diagonal(model, x, y):
    mode = model.training
    model.eval()
    names = [name for name, weight in model.named_parameters() if weight.requires_grad]
    weights = [model.get_parameter(name) for name in names]
    sums = [torch.zeros_like(weight) for weight in weights]
    for n in range(len(x)):
        loss = F.cross_entropy(model(x[n : n + 1]), y[n : n + 1])
        for total, gradient in zip(sums, torch.autograd.grad(loss, weights), strict=True):
            total += gradient.square()
    model.train(mode)
    return {name: total / max(len(x) - 1, 1) for name, total in zip(names, sums, strict=True)}
