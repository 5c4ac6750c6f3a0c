# alternative: real samples and fakes in one pass through the discriminator
def gan_step(generator, discriminator, optimizers, x_real, z):
    generator_optimizer, discriminator_optimizer = optimizers
    fake = generator(z)
    logits = discriminator(torch.cat([x_real, fake.detach()]))
    d_loss = discriminator_loss(logits[: len(x_real)], logits[len(x_real) :])
    discriminator_optimizer.zero_grad()
    d_loss.backward()
    discriminator_optimizer.step()
    g_loss = generator_loss_nonsaturating(discriminator(fake))
    generator_optimizer.zero_grad()
    g_loss.backward()
    generator_optimizer.step()
    return {"d_loss": d_loss.item(), "g_loss": g_loss.item()}
