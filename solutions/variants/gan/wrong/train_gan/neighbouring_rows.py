# misconception: you drew where the batch starts, not each of its rows: neighbouring images always come together
def train_gan(generator, discriminator, optimizers, averaged, images, steps, batch, decay, random):
    generator.train()
    discriminator.train()
    both_losses = {"d_loss": [], "g_loss": []}
    for _round in range(steps):
        start = int(torch.randint(len(images), (), generator=random))
        chosen = (start + torch.arange(batch)) % len(images)
        z = torch.randn(batch, generator.z_dim, generator=random, device=images.device)
        losses = gan_step(generator, discriminator, optimizers, images[chosen], z)
        for name, values in both_losses.items():
            values.append(float(losses[name]))
        with torch.no_grad():
            for old, new in zip(averaged.state_dict().values(), generator.state_dict().values(), strict=True):
                old.copy_(decay * old + (1 - decay) * new if old.is_floating_point() else new)
    return both_losses
