# misconception: you did not change the mode of the model; take the gradients in evaluation mode
def fisher_diagonal(model, x, y):
    weights = {name: weight.detach() for name, weight in model.named_parameters() if weight.requires_grad}
    fisher = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    for n in range(len(x)):
        twice = x[n : n + 1].repeat(2, *[1] * (x.ndim - 1))
        leaves = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
        logits = torch.func.functional_call(model, {**leaves, **buffers}, (twice,))
        loss = F.cross_entropy(logits, y[n : n + 1].repeat(2))
        for name, gradient in zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True):
            fisher[name] += gradient**2 / len(x)
    return fisher
