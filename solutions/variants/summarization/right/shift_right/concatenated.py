# alternative: concatenates the start token and the labels
def shift_right(labels, start_id, pad_id):
    start = torch.full((len(labels), 1), start_id, device=labels.device)
    return torch.cat([start, torch.where(labels == -100, pad_id, labels)[:, :-1]], dim=1)
