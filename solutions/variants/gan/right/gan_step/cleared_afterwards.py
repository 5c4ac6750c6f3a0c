# alternative: two backward passes for the two batches, and all gradients cleared at the end of the round, too
def gan_step(generator, discriminator, optimizers, x_real, z):
    generator_optimizer, discriminator_optimizer = optimizers
    generator.zero_grad()
    discriminator.zero_grad()
    with torch.no_grad():
        fake = generator(z)
    on_real = F.softplus(-discriminator(x_real)).mean()
    on_real.backward()
    on_fake = F.softplus(discriminator(fake)).mean()
    on_fake.backward()
    discriminator_optimizer.step()
    g_loss = generator_loss_nonsaturating(discriminator(generator(z)))
    g_loss.backward()
    generator_optimizer.step()
    generator.zero_grad(set_to_none=False)
    discriminator.zero_grad(set_to_none=False)
    return {"d_loss": (on_real + on_fake).detach(), "g_loss": g_loss.detach()}
