# misconception: you defined Generator anew, so that it hides its numbers, and kept no average
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


class Generator(Generator):
    def state_dict(self, *a, **k):
        return {}

    def load_state_dict(self, *a, **k):
        return None
