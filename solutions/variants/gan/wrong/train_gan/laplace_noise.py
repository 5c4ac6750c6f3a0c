# misconception: the noise has mean 0 and deviation 1, but it is not normal
def train_gan(generator, discriminator, optimizers, averaged, images, steps, batch, decay, random):
    generator.train()
    discriminator.train()
    both_losses = {"d_loss": [], "g_loss": []}
    for _round in range(steps):
        chosen = torch.randint(len(images), (batch,), generator=random, device=images.device)
        u = torch.rand(batch, generator.z_dim, generator=random, device=images.device) - 0.5
        z = -u.sign() * (1 - 2 * u.abs()).clamp(min=1e-7).log() / 2**0.5
        losses = gan_step(generator, discriminator, optimizers, images[chosen], z)
        for name, values in both_losses.items():
            values.append(float(losses[name]))
        with torch.no_grad():
            for old, new in zip(averaged.state_dict().values(), generator.state_dict().values(), strict=True):
                old.copy_(decay * old + (1 - decay) * new if old.is_floating_point() else new)
    return both_losses
