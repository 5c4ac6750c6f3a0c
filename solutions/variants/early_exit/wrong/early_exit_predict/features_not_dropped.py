# misconception: you forgot to drop the features of the samples that have left
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
            new = out & (exits[waiting] == 0) if i else out
            predictions[waiting[new]] = z[new].argmax(1)
            exits[waiting[new]] = i
            still = ~out
            if i == 0:
                waiting, h = waiting[still], h[still]
            else:
                predictions[waiting[still]] = z[still].argmax(1)
            if len(waiting) == 0:
                break
        return predictions, exits
