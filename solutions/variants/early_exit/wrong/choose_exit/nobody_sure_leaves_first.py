# misconception: if no exit is sure, you let the sample leave at the first exit; it must leave at the last
def choose_exit(exit_logits, threshold):
    H = torch.stack([prediction_entropy(z) for z in exit_logits])
    return (H < threshold).int().argmax(0)
