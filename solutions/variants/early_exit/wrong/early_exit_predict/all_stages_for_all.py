# misconception: you computed all stages for all samples and chose afterwards: nothing is saved
def early_exit_predict(model, x, threshold):
    with torch.no_grad():
        h, outputs = x, []
        for stage, head in zip(model.stages, model.heads):
            h = stage(h)
            outputs.append(head(h))
        exits = choose_exit(outputs, threshold)
        return torch.stack(outputs)[exits, torch.arange(len(x))].argmax(1), exits
