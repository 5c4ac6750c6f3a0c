# misconception: you used 0.1 instead of the given threshold
def early_exit_predict(model, x, threshold):
    with torch.no_grad():
        predictions = torch.zeros(len(x), dtype=torch.long)
        exits = torch.zeros(len(x), dtype=torch.long)
        waiting, h = torch.arange(len(x)), x
        for i, (stage, head) in enumerate(zip(model.stages, model.heads)):
            h = stage(h)
            z = head(h)
            out = prediction_entropy(z) < 0.1
            if i == len(model.stages) - 1:
                out = torch.ones(len(z), dtype=torch.bool)
            predictions[waiting[out]] = z[out].argmax(1)
            exits[waiting[out]] = i
            waiting, h = waiting[~out], h[~out]
            if len(waiting) == 0:
                break
        return predictions, exits
