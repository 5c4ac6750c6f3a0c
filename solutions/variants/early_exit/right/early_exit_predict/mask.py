# alternative: a mask over all samples instead of a list of places
def early_exit_predict(model, x, threshold):
    device, B = x.device, len(x)
    predictions = torch.full((B,), -1, dtype=torch.long, device=device)
    exits = torch.full((B,), -1, dtype=torch.long, device=device)
    with torch.no_grad():
        features = None
        for i in range(len(model.stages)):
            inside = exits < 0
            if not inside.any():
                break
            features = model.stages[i](x if features is None else features)
            logits = model.heads[i](features)
            sure = prediction_entropy(logits) < threshold
            if i + 1 == len(model.stages):
                sure[:] = True
            places = inside.nonzero().squeeze(1)
            exits[places[sure]] = i
            predictions[places] = logits.argmax(dim=-1)
            features = features[~sure]
    return predictions, exits
