# alternative: each pixel is sent to its new place, and the order comes from sorting random numbers
def permute_pixels(images, seed):
    g = torch.Generator().manual_seed(seed)
    places = torch.rand(784, generator=g, dtype=torch.float64).argsort().to(images.device)
    moved = torch.empty_like(images.flatten(1))
    moved[:, places] = images.flatten(1)
    return moved.view_as(images)
