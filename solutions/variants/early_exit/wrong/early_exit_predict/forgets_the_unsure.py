# misconception: you left out the samples of which no exit is sure: they leave at the last exit
def early_exit_predict(model, x, threshold):
    with torch.no_grad():
        predictions = torch.zeros(len(x), dtype=torch.long)
        exits = torch.zeros(len(x), dtype=torch.long)
        waiting, h = torch.arange(len(x)), x
        for i, (stage, head) in enumerate(zip(model.stages, model.heads)):
            h = stage(h)
            z = head(h)
            out = prediction_entropy(z) < threshold
            predictions[waiting[out]] = z[out].argmax(1)
            exits[waiting[out]] = i
            waiting, h = waiting[~out], h[~out]
            if len(waiting) == 0:
                break
        return predictions, exits
