# misconception: you included frozen parameters
def fisher_diagonal(model, x, y):
    was_training = model.training
    model.eval()
    weights = {name: weight.detach().clone().requires_grad_() for name, weight in model.named_parameters()}
    fisher = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for n in range(len(x)):
        loss = F.cross_entropy(torch.func.functional_call(model, weights, (x[n : n + 1],)), y[n : n + 1])
        for name, gradient in zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True):
            fisher[name] += gradient.detach() ** 2 / len(x)
    model.train(was_training)
    return {name: value.detach() for name, value in fisher.items()}
