# alternative: torch.distributions
def prediction_entropy(logits):
    return torch.distributions.Categorical(logits=logits).entropy()
