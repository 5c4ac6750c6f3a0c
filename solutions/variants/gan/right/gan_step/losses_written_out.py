# alternative: the losses written out in place
def gan_step(generator, discriminator, optimizers, x_real, z):
    generator_optimizer, discriminator_optimizer = optimizers
    fake = generator(z)
    d_loss = F.softplus(-discriminator(x_real)).mean() + F.softplus(discriminator(fake.detach())).mean()
    discriminator_optimizer.zero_grad(set_to_none=False)
    d_loss.backward()
    discriminator_optimizer.step()
    g_loss = F.softplus(-discriminator(fake)).mean()
    generator_optimizer.zero_grad(set_to_none=False)
    g_loss.backward()
    generator_optimizer.step()
    return {"d_loss": d_loss.item(), "g_loss": g_loss.item()}
