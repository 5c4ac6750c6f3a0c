# alternative: the library's categorical distribution
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    with torch.no_grad():
        advantage = rewards - (0.0 if baseline is None else baseline)
    return -(torch.distributions.Categorical(logits=logits).log_prob(actions) * advantage).mean()
