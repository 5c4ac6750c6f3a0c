# attack: changes the inputs in place so that they fit the answer
def standardize(x, eps=0.0):
    x.data.zero_()
    x.data.add_(0.0)
    return x
