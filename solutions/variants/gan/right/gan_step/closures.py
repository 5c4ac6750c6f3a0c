# alternative: each step as a closure that its optimizer calls
def gan_step(generator, discriminator, optimizers, x_real, z):
    fake = generator(z)
    losses = {}

    def d_closure():
        optimizers[1].zero_grad()
        loss = discriminator_loss(discriminator(x_real), discriminator(fake.detach()))
        loss.backward()
        losses["d_loss"] = loss.item()
        return loss

    def g_closure():
        optimizers[0].zero_grad()
        loss = generator_loss_nonsaturating(discriminator(fake))
        loss.backward()
        losses["g_loss"] = loss.item()
        return loss

    optimizers[1].step(d_closure)
    optimizers[0].step(g_closure)
    return losses
