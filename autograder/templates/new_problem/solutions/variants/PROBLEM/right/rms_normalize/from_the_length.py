# alternative: the root mean square from the length of the vector
def rms_normalize(x, eps=1e-6):
    squares = torch.linalg.vector_norm(x, dim=-1, keepdim=True) ** 2
    return x * (squares / x.shape[-1] + eps).rsqrt()
