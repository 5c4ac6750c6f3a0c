# misconception: you used the probability of the action instead of its logarithm
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    taken = torch.softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
    advantage = rewards if baseline is None else rewards - baseline
    return -(advantage.detach() * taken).mean()
