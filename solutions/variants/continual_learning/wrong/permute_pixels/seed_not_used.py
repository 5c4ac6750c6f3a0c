# misconception: you used a fixed seed instead of the given one, so all tasks are the same
def permute_pixels(images, seed):
    order = torch.randperm(784, generator=torch.Generator().manual_seed(0)).to(images.device)
    return images.flatten(1)[:, order].reshape(images.shape)
