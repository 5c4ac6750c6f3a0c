# misconception: you used indices among the remaining samples as if they were indices in x
def early_exit_predict(model, x, threshold):
    with torch.no_grad():
        predictions = torch.zeros(len(x), dtype=torch.long)
        exits = torch.zeros(len(x), dtype=torch.long)
        waiting, h = torch.arange(len(x)), x
        for i, (stage, head) in enumerate(zip(model.stages, model.heads)):
            h = stage(h)
            z = head(h)
            out = prediction_entropy(z) < threshold
            if i == len(model.stages) - 1:
                out = torch.ones(len(z), dtype=torch.bool)
            predictions[torch.arange(len(z))[out]] = z[out].argmax(1)
            exits[torch.arange(len(z))[out]] = i
            waiting, h = waiting[~out], h[~out]
            if len(waiting) == 0:
                break
        return predictions, exits
