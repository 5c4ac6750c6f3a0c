# alternative: a function that calls itself for the rest
def early_exit_predict(model, x, threshold):
    def go(h, i):
        h = model.stages[i](h)
        z = model.heads[i](h)
        predictions, exits = z.argmax(1), torch.full((len(z),), i)
        if i + 1 < len(model.stages):
            stay = ~(prediction_entropy(z) < threshold)
            if stay.any():
                predictions[stay], exits[stay] = go(h[stay], i + 1)
        return predictions, exits

    with torch.no_grad():
        return go(x, 0)
