# alternative: the fakes are not detached, but each backward pass names the parameters that it may reach
def gan_step(generator, discriminator, optimizers, x_real, z):
    generator_optimizer, discriminator_optimizer = optimizers
    d_loss = discriminator_loss(discriminator(x_real), discriminator(generator(z)))
    discriminator_optimizer.zero_grad()
    d_loss.backward(inputs=list(discriminator.parameters()))
    discriminator_optimizer.step()
    g_loss = generator_loss_nonsaturating(discriminator(generator(z)))
    generator_optimizer.zero_grad()
    g_loss.backward(inputs=list(generator.parameters()))
    generator_optimizer.step()
    return {"d_loss": d_loss.item(), "g_loss": g_loss.item()}
