# alternative: cross-entropy towards the actions taken, weighted by the rewards
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    advantage = rewards if baseline is None else rewards - baseline
    each = nn.functional.cross_entropy(logits, actions, reduction="none")
    return (torch.as_tensor(advantage).detach() * each).mean()
