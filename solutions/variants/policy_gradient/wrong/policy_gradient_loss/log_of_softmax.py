# misconception: you took the logarithm of the softmax, which is log 0 for large logits; log_softmax is stable
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    log_taken = torch.log(torch.softmax(logits, -1)).gather(-1, actions[:, None])[:, 0]
    advantage = rewards if baseline is None else rewards - baseline
    return -(torch.as_tensor(advantage).detach() * log_taken).mean()
