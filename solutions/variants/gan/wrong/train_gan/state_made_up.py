# misconception: you defined Generator anew, so that it shows other numbers than it has, and kept no average
def train_gan(generator, discriminator, optimizers, averaged, images, steps, batch, decay, random):
    generator.train()
    discriminator.train()
    history = {"d_loss": [], "g_loss": []}
    for _ in range(steps):
        x = images[torch.randint(0, len(images), (batch,), generator=random)]
        z = torch.randn(batch, generator.z_dim, generator=random)
        losses = gan_step(generator, discriminator, optimizers, x, z)
        history["d_loss"].append(float(losses["d_loss"]))
        history["g_loss"].append(float(losses["g_loss"]))
    return history


class Generator(Generator):
    def state_dict(self, *a, **k):
        return {name: torch.ones_like(value) for name, value in super().state_dict(*a, **k).items()}
