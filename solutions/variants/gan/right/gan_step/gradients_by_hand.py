# alternative: gradients asked for by name, so that none goes astray
def gan_step(generator, discriminator, optimizers, x_real, z):
    generator_optimizer, discriminator_optimizer = optimizers
    fake = generator(z)
    d_loss = discriminator_loss(discriminator(x_real), discriminator(fake))
    weights = list(discriminator.parameters())
    for weight, gradient in zip(weights, torch.autograd.grad(d_loss, weights, retain_graph=True), strict=True):
        weight.grad = gradient
    discriminator_optimizer.step()
    g_loss = generator_loss_nonsaturating(discriminator(generator(z)))
    weights = list(generator.parameters())
    for weight, gradient in zip(weights, torch.autograd.grad(g_loss, weights), strict=True):
        weight.grad = gradient
    generator_optimizer.step()
    return {"g_loss": float(g_loss.detach()), "d_loss": float(d_loss.detach())}
