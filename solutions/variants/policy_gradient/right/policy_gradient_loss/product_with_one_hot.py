# alternative: the action's log-probability by a product with a float32 one-hot
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    taken = torch.zeros(logits.shape).scatter(1, actions[:, None], 1.0)  # [B, C]
    log_taken = torch.bmm(taken[:, None], logits.log_softmax(1)[:, :, None])[:, 0, 0]  # [B]
    advantage = rewards - (0.0 if baseline is None else torch.as_tensor(baseline))
    return torch.dot(log_taken, advantage.detach().to(log_taken.dtype)) / -len(actions)
