# misconception: you trained towards every action taken, without its reward
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    return nn.functional.cross_entropy(logits, actions)
