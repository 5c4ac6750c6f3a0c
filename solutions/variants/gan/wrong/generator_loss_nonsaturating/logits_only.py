# misconception: you maximise the logits themselves, as a Wasserstein critic would
def generator_loss_nonsaturating(fake_logits):
    return -fake_logits.mean()
