# misconception: the gradient of the discriminator's loss flows into the generator: detach the fakes
def gan_step(generator, discriminator, optimizers, x_real, z):
    generator_optimizer, discriminator_optimizer = optimizers
    d_loss = discriminator_loss(discriminator(x_real), discriminator(generator(z)))
    discriminator_optimizer.zero_grad()
    d_loss.backward()
    discriminator_optimizer.step()
    g_loss = generator_loss_nonsaturating(discriminator(generator(z)))
    generator_optimizer.zero_grad()
    g_loss.backward()
    generator_optimizer.step()
    return {"d_loss": d_loss.item(), "g_loss": g_loss.item()}
