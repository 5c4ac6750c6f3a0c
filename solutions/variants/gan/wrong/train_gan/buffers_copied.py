# misconception: you copied the running mean and variance of batch normalisation from the generator instead of averaging them
def train_gan(generator, discriminator, optimizers, averaged, images, steps, batch, decay, random):
    generator.train()
    discriminator.train()
    history = {"d_loss": [], "g_loss": []}
    for _ in range(steps):
        rows = torch.randint(len(images), (batch,), generator=random, device=images.device)
        z = torch.randn((batch, generator.z_dim), generator=random, device=images.device)
        losses = gan_step(generator, discriminator, optimizers, images[rows], z)
        history["d_loss"].append(float(losses["d_loss"]))
        history["g_loss"].append(float(losses["g_loss"]))
        with torch.no_grad():
            for old, new in zip(averaged.parameters(), generator.parameters(), strict=True):
                old.copy_(decay * old + (1 - decay) * new)
            for old, new in zip(averaged.buffers(), generator.buffers(), strict=True):
                old.copy_(new)
    return history
