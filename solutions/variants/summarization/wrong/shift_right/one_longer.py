# misconception: you added the start token and kept the last label: the input must be as long as the labels
def shift_right(labels, start_id, pad_id):
    start = torch.full_like(labels[:, :1], start_id)
    return torch.cat([start, labels.masked_fill(labels == -100, pad_id)], dim=1)
