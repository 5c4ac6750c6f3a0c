# misconception: you return the non-saturating loss, but minimise the minimax loss in the generator's step
def gan_step(generator, discriminator, optimizers, x_real, z):
    generator_optimizer, discriminator_optimizer = optimizers
    fake = generator(z)
    d_loss = discriminator_loss(discriminator(x_real), discriminator(fake.detach()))
    discriminator_optimizer.zero_grad()
    d_loss.backward()
    discriminator_optimizer.step()
    fake_logits = discriminator(fake)
    g_loss = generator_loss_nonsaturating(fake_logits)
    generator_optimizer.zero_grad()
    F.logsigmoid(-fake_logits).mean().backward()
    generator_optimizer.step()
    return {"d_loss": d_loss.item(), "g_loss": g_loss.item()}
