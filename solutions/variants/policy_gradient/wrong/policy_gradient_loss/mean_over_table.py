# misconception: you averaged over all B times C entries of the one-hot table, so the loss is C times too small
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    one_hot = nn.functional.one_hot(actions, logits.shape[-1])
    advantage = rewards if baseline is None else rewards - baseline
    return -(torch.as_tensor(advantage).detach()[:, None] * one_hot * torch.log_softmax(logits, -1)).mean()
