# misconception: you shifted the labels to the left; the start token comes first
def shift_right(labels, start_id, pad_id):
    shifted = torch.full_like(labels, start_id)  # [B, T]
    shifted[:, :-1] = labels[:, 1:]
    return shifted.masked_fill(shifted == -100, pad_id)
