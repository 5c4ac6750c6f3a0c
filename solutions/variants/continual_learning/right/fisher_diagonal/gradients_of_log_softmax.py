# alternative: autograd.grad of the log-softmax, sample by sample
def fisher_diagonal(model, x, y):
    mode = model.training
    model.train(False)
    try:
        names, weights = zip(*[(name, w) for name, w in model.named_parameters() if w.requires_grad], strict=True)
        squares = [torch.zeros_like(w) for w in weights]
        for x_n, y_n in zip(x, y, strict=True):
            log_likelihood = torch.log_softmax(model(x_n.unsqueeze(0)), dim=-1)[0, y_n]
            for square, gradient in zip(squares, torch.autograd.grad(log_likelihood, weights), strict=True):
                square.add_(gradient.square())
    finally:
        model.train(mode)
    return {name: square / x.shape[0] for name, square in zip(names, squares, strict=True)}
