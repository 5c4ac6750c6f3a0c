# misconception: you labelled the fakes as fakes; the generator needs the label real
def generator_loss_nonsaturating(fake_logits):
    return F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
