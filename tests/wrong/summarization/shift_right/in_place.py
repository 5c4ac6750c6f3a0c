# misconception: you changed labels in place
def shift_right(labels, start_id, pad_id):
    labels[:, 1:] = labels[:, :-1].clone()
    labels[:, 0] = start_id
    return labels.masked_fill_(labels == -100, pad_id)
