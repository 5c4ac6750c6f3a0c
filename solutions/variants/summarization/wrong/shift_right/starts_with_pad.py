# misconception: you began the rows with pad_id instead of start_id
def shift_right(labels, start_id, pad_id):
    shifted = torch.full_like(labels, pad_id)  # [B, T]
    shifted[:, 1:] = labels[:, :-1]
    return shifted.masked_fill(shifted == -100, pad_id)
