# misconception: you wrote the permuted pixels into the given images
def permute_pixels(images, seed):
    order = torch.randperm(784, generator=torch.Generator().manual_seed(seed)).to(images.device)
    images.copy_(images.flatten(1)[:, order].reshape(images.shape))
    return images
