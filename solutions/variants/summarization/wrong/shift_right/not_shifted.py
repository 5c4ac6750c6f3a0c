# misconception: you did not shift the labels: the input would be the label
def shift_right(labels, start_id, pad_id):
    shifted = torch.full_like(labels, start_id)  # [B, T]
    shifted = labels.clone()
    return shifted.masked_fill(shifted == -100, pad_id)
