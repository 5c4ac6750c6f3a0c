# alternative: the two answers as two classes
def generator_loss_minimax(fake_logits):
    answers = torch.stack([torch.zeros_like(fake_logits), fake_logits])
    return torch.log_softmax(answers, dim=0)[0].mean()
