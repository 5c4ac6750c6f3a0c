# alternative: the rows of each round are drawn without repetition and sorted
def train_gan(generator, discriminator, optimizers, averaged, images, steps, batch, decay, random):
    generator.train()
    discriminator.train()
    both_losses = {"d_loss": [], "g_loss": []}
    for _round in range(steps):
        chosen = torch.randperm(len(images), generator=random)[:batch].sort().values
        z = torch.randn(batch, generator.z_dim, generator=random, device=images.device)
        losses = gan_step(generator, discriminator, optimizers, images[chosen], z)
        for name, values in both_losses.items():
            values.append(float(losses[name]))
        with torch.no_grad():
            for old, new in zip(averaged.state_dict().values(), generator.state_dict().values(), strict=True):
                old.copy_(decay * old + (1 - decay) * new if old.is_floating_point() else new)
    return both_losses
