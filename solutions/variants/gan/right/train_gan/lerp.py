# alternative: moves each number of the average a part of the way, parameters and buffers by themselves
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
                old.lerp_(new, 1 - decay)
            for old, new in zip(averaged.buffers(), generator.buffers(), strict=True):
                old.copy_(old.lerp(new, 1 - decay) if old.is_floating_point() else new)
    return history
