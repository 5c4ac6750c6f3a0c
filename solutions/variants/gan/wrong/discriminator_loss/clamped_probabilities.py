# misconception: you added a small number inside the logarithm, which limits the loss where the discriminator is surest
def discriminator_loss(real_logits, fake_logits):
    return (
        -torch.log(torch.sigmoid(real_logits) + 1e-8).mean() - torch.log(1 - torch.sigmoid(fake_logits) + 1e-8).mean()
    )
