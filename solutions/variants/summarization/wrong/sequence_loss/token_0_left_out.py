# misconception: you left the label 0 out as if it were padding; padded is where the label is −100
def sequence_loss(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.masked_fill(labels == 0, -100).flatten(), ignore_index=-100)
