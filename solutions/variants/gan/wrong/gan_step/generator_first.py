# misconception: you took the generator's step first
def gan_step(generator, discriminator, optimizers, x_real, z):
    generator_optimizer, discriminator_optimizer = optimizers
    fake = generator(z)
    g_loss = generator_loss_nonsaturating(discriminator(fake))
    generator_optimizer.zero_grad()
    g_loss.backward()
    generator_optimizer.step()
    fake = generator(z)
    d_loss = discriminator_loss(discriminator(x_real), discriminator(fake.detach()))
    discriminator_optimizer.zero_grad()
    d_loss.backward()
    discriminator_optimizer.step()
    return {"d_loss": d_loss.item(), "g_loss": g_loss.item()}
