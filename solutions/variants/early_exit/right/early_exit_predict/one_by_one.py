# alternative: sample by sample
def early_exit_predict(model, x, threshold):
    predictions, exits = [], []
    last = len(model.stages) - 1
    with torch.inference_mode():
        for b in range(len(x)):
            h = x[b : b + 1]
            for i in range(last + 1):
                h = model.stages[i](h)
                z = model.heads[i](h)
                if i == last or float(prediction_entropy(z)) < threshold:
                    break
            predictions.append(int(z.argmax()))
            exits.append(i)
    return torch.tensor(predictions), torch.tensor(exits)
