# alternative: the arg-max of logits plus Gumbel noise is a draw from the softmax
def sample_actions(logits, generator=None):
    noise = torch.rand(logits.shape, generator=generator, dtype=torch.float64).clamp_min(1e-300)
    return (logits.detach().double() - torch.log(-torch.log(noise))).argmax(dim=-1)
