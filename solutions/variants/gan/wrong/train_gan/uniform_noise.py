# misconception: your noise is uniform: it must be standard normal
def train_gan(generator, discriminator, optimizers, averaged, images, steps, batch, decay, random):
    generator.train()
    discriminator.train()
    history = {"d_loss": [], "g_loss": []}
    for _ in range(steps):
        rows = torch.randint(len(images), (batch,), generator=random, device=images.device)
        z = torch.rand((batch, generator.z_dim), generator=random, device=images.device)
        losses = gan_step(generator, discriminator, optimizers, images[rows], z)
        history["d_loss"].append(float(losses["d_loss"]))
        history["g_loss"].append(float(losses["g_loss"]))
        with torch.no_grad():
            for name, old in averaged.state_dict().items():
                new = generator.state_dict()[name]
                if old.is_floating_point():
                    old.mul_(decay).add_(new, alpha=1 - decay)
                else:
                    old.copy_(new)
    return history
