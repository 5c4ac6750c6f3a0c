# misconception: you normalised over the batch (dim 0) instead of over the actions
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    log_taken = torch.log_softmax(logits, 0).gather(-1, actions[:, None])[:, 0]
    advantage = rewards if baseline is None else rewards - baseline
    return -(torch.as_tensor(advantage).detach() * log_taken).mean()
