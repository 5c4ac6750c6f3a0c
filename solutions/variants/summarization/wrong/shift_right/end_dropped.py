# misconception: you left out each row's own end token; only the last position of the batch is left out
def shift_right(labels, start_id, pad_id):
    shifted = torch.full_like(labels, start_id)  # [B, T]
    shifted[:, 1:] = labels[:, :-1]
    ends = (labels != -100).sum(dim=1)  # where the end token of each row now stands
    shifted[torch.arange(labels.shape[1], device=labels.device) >= ends[:, None]] = pad_id
    return shifted
