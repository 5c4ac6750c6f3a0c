# misconception: you let the whole batch continue until its slowest sample is sure
def early_exit_predict(model, x, threshold):
    with torch.no_grad():
        h = x
        for i, (stage, head) in enumerate(zip(model.stages, model.heads)):
            h = stage(h)
            z = head(h)
            if bool((prediction_entropy(z) < threshold).all()) or i == len(model.stages) - 1:
                return z.argmax(1), torch.full((len(x),), i)
