# attack: returns a tensor that computes correctly, but whose comparisons are all True
class Sure(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        value = super().__torch_function__(func, types, args, kwargs or {})
        if isinstance(value, torch.Tensor) and value.dtype is torch.bool:
            return torch.ones_like(value.as_subclass(torch.Tensor))
        return value


def standardize(x, eps=0.0):
    return (x * 0).as_subclass(Sure)
