# misconception: you cleared all gradients once at the start and did not detach the fakes, so the discriminator's loss changes the generator
def gan_step(generator, discriminator, optimizers, x_real, z):
    generator_optimizer, discriminator_optimizer = optimizers
    generator_optimizer.zero_grad()
    discriminator_optimizer.zero_grad()
    d_loss = discriminator_loss(discriminator(x_real), discriminator(generator(z)))
    d_loss.backward()
    discriminator_optimizer.step()
    g_loss = generator_loss_nonsaturating(discriminator(generator(z)))
    g_loss.backward()
    generator_optimizer.step()
    return {"d_loss": d_loss.item(), "g_loss": g_loss.item()}
