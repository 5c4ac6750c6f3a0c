# alternative: rolls the rows, then writes the start token
def shift_right(labels, start_id, pad_id):
    shifted = torch.roll(labels, 1, dims=1)
    shifted[shifted < 0] = pad_id
    shifted[:, 0] = start_id
    return shifted
