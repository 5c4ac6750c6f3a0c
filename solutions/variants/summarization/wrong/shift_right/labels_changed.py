# misconception: you changed the given labels: the loss still needs them
def shift_right(labels, start_id, pad_id):
    labels[:, 1:] = labels[:, :-1].clone()
    labels[:, 0] = start_id
    labels[labels == -100] = pad_id
    return labels
