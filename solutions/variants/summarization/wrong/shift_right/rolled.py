# misconception: you rolled the rows and left the last label first, instead of the start token
def shift_right(labels, start_id, pad_id):
    shifted = labels.roll(1, dims=1)
    return shifted.masked_fill(shifted == -100, pad_id)
