# alternative: uniform on a window, inside a wider window
def asymmetric_pair():
    def window(first, last, size=10):
        inside = torch.zeros(size)
        inside[first:last] = 1
        return inside / inside.sum()

    return window(3, 6), window(2, 9)
