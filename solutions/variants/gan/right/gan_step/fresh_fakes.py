# alternative: fakes made anew for each step, those of the first one without a graph
def gan_step(generator, discriminator, optimizers, x_real, z):
    generator_optimizer, discriminator_optimizer = optimizers
    with torch.no_grad():
        fake = generator(z)
    discriminator_optimizer.zero_grad()
    d_loss = discriminator_loss(discriminator(x_real), discriminator(fake))
    d_loss.backward()
    discriminator_optimizer.step()
    generator_optimizer.zero_grad()
    g_loss = generator_loss_nonsaturating(discriminator(generator(z)))
    g_loss.backward()
    generator_optimizer.step()
    return {"d_loss": d_loss.detach(), "g_loss": g_loss.detach()}
