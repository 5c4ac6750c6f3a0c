# misconception: you took the most likely action instead of drawing one
def sample_actions(logits, generator=None):
    return logits.argmax(dim=-1)
