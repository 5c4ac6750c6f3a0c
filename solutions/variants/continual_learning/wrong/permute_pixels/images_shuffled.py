# misconception: you shuffled the images of the batch instead of the pixels
def permute_pixels(images, seed):
    return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))]
