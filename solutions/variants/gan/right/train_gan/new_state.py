# alternative: loads a new state into the average in each round
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
        before, now = averaged.state_dict(), generator.state_dict()
        mixed = {}
        for name, value in now.items():
            mixed[name] = decay * before[name] + (1 - decay) * value if value.is_floating_point() else value
        averaged.load_state_dict(mixed)
    return history
