# misconception: you normalised the rewards inside the loss, which changes the size of the gradient
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
    advantage = rewards if baseline is None else rewards - baseline
    advantage = torch.as_tensor(advantage).detach()
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    return -(advantage * log_taken).mean()
