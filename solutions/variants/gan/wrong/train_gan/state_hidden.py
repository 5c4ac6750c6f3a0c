# misconception: you replaced the methods that show a network's numbers, and kept no average
def train_gan(generator, discriminator, optimizers, averaged, images, steps, batch, decay, random):
    history = {"d_loss": [], "g_loss": []}
    for _ in range(steps):
        x = images[torch.randint(0, len(images), (batch,), generator=random)]
        z = torch.randn(batch, generator.z_dim, generator=random)
        with torch.no_grad():
            generator(z), discriminator(x)
        optimizers[0].step()
        history["d_loss"].append(0.0)
        history["g_loss"].append(0.0)
    return history


Generator.state_dict = lambda self, *a, **k: {}
Generator.load_state_dict = lambda self, *a, **k: None
