# alternative: a uniform number looked up in the cumulated probabilities
def sample_actions(logits, generator=None):
    cumulated = torch.softmax(logits.detach().double(), -1).cumsum(-1)  # [B, C]
    u = torch.rand(logits.shape[0], 1, generator=generator, dtype=torch.float64) * cumulated[:, -1:]
    return torch.searchsorted(cumulated.contiguous(), u, right=True).squeeze(-1)
