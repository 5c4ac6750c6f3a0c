# alternative: with lists instead of tensors
def shift_right(labels, start_id, pad_id):
    rows = [[start_id] + [pad_id if token == -100 else token for token in row[:-1]] for row in labels.tolist()]
    return torch.tensor(rows, device=labels.device)
