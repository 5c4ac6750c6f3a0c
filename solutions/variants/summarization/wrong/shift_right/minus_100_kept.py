# misconception: you left -100 in the input; put pad_id there
def shift_right(labels, start_id, pad_id):
    shifted = torch.full_like(labels, start_id)  # [B, T]
    shifted[:, 1:] = labels[:, :-1]
    return shifted
