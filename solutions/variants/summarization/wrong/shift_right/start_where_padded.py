# misconception: you put start_id where labels are -100; put pad_id there
def shift_right(labels, start_id, pad_id):
    shifted = torch.full_like(labels, start_id)  # [B, T]
    shifted[:, 1:] = labels[:, :-1]
    return shifted.masked_fill(shifted == -100, start_id)
