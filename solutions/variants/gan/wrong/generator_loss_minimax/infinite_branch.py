# misconception: you chose between two formulas with torch.where(); where the other one is infinite the gradient is nan
def generator_loss_minimax(fake_logits):
    naive = torch.log(1 - torch.sigmoid(fake_logits))
    return torch.where(fake_logits > 15, -fake_logits, naive).mean()
