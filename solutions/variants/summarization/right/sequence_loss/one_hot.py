# alternative: one-hot labels, einsum, in double precision
def sequence_loss(logits, labels):
    counted = (labels != -100).double()  # [B, T]
    right = F.one_hot(labels.clamp(min=0), logits.shape[2]).double()  # [B, T, V]
    log_p = logits.double().log_softmax(dim=2)
    return -torch.einsum("btv,btv,bt->", log_p, right, counted) / counted.sum()
