# alternative: chooses the rows with torch.multinomial, and changes the data of the tensors
def train_gan(generator, discriminator, optimizers, averaged, images, steps, batch, decay, random):
    generator.train()
    discriminator.train()
    history = {"d_loss": [], "g_loss": []}
    for _ in range(steps):
        equal = torch.ones(len(images), device=images.device)
        rows = torch.multinomial(equal, batch, replacement=True, generator=random)
        z = torch.randn((batch, generator.z_dim), generator=random, device=images.device)
        losses = gan_step(generator, discriminator, optimizers, images[rows], z)
        history["d_loss"].append(float(losses["d_loss"]))
        history["g_loss"].append(float(losses["g_loss"]))
        mine, theirs = averaged.state_dict(), generator.state_dict()
        for name in theirs:
            if theirs[name].dtype == torch.long:
                mine[name].data.copy_(theirs[name])
            else:
                mine[name].data.sub_((1 - decay) * (mine[name].data - theirs[name].data))
    return history
