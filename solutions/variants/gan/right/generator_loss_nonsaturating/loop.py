# alternative: sample by sample
def generator_loss_nonsaturating(fake_logits):
    terms = [torch.nn.functional.softplus(-logit) for logit in fake_logits.reshape(-1)]
    return sum(terms) / len(terms)
