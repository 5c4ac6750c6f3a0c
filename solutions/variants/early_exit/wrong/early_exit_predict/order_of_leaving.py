# misconception: you returned the answers in the order in which samples left, not in that of x
def early_exit_predict(model, x, threshold):
    with torch.no_grad():
        predictions, exits = [], []
        waiting, h = torch.arange(len(x)), x
        for i, (stage, head) in enumerate(zip(model.stages, model.heads)):
            h = stage(h)
            z = head(h)
            out = prediction_entropy(z) < threshold
            if i == len(model.stages) - 1:
                out = torch.ones(len(z), dtype=torch.bool)
            predictions.append(z[out].argmax(1))
            exits.append(torch.full((int(out.sum()),), i))
            waiting, h = waiting[~out], h[~out]
            if len(waiting) == 0:
                break
        return torch.cat(predictions), torch.cat(exits)
