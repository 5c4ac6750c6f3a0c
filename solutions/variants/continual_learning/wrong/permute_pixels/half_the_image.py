# misconception: you shuffled only half of the positions
def permute_pixels(images, seed):
    order = torch.arange(784)
    order[:392] = torch.randperm(392, generator=torch.Generator().manual_seed(seed))
    return images.flatten(1)[:, order].reshape(images.shape)
