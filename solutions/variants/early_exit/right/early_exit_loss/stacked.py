# alternative: all exits in one tensor
def early_exit_loss(exit_logits, y, weights):
    z = torch.stack(list(exit_logits))  # [E, B, C]
    E, B, C = z.shape
    each = F.cross_entropy(z.reshape(E * B, C), y.repeat(E), reduction="none").reshape(E, B).mean(1)
    return each @ torch.tensor(list(weights), dtype=z.dtype)
