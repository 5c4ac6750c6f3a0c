# alternative: the discriminator's parameters need no gradient in the generator's step
def gan_step(generator, discriminator, optimizers, x_real, z):
    generator_optimizer, discriminator_optimizer = optimizers
    generator_optimizer.zero_grad()
    discriminator_optimizer.zero_grad()
    d_loss = discriminator_loss(discriminator(x_real), discriminator(generator(z).detach()))
    d_loss.backward()
    discriminator_optimizer.step()
    discriminator.requires_grad_(False)
    g_loss = generator_loss_nonsaturating(discriminator(generator(z)))
    g_loss.backward()
    discriminator.requires_grad_(True)
    generator_optimizer.step()
    return {"d_loss": d_loss.item(), "g_loss": g_loss.item()}
