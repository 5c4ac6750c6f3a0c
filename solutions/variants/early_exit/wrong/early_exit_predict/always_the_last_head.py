# misconception: you took all predictions from the last head
def early_exit_predict(model, x, threshold):
    with torch.no_grad():
        h = x
        for stage in model.stages:
            h = stage(h)
        return model.heads[-1](h).argmax(1), torch.full((len(x),), len(model.stages) - 1)
