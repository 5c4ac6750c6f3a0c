# misconception: you added a small number inside the logarithm, which limits the loss and makes the gradient of rare actions vanish
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    log_taken = torch.log(torch.softmax(logits, -1) + 1e-8).gather(-1, actions[:, None])[:, 0]
    advantage = rewards if baseline is None else rewards - baseline
    return -(torch.as_tensor(advantage).detach() * log_taken).mean()
