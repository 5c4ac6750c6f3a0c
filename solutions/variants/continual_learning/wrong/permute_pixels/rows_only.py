# misconception: you permuted the rows and left each row as it is
def permute_pixels(images, seed):
    return images[:, :, torch.randperm(28, generator=torch.Generator().manual_seed(seed))]
