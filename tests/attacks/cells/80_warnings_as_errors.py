# attack: turns every warning into an error for all code that runs later
import warnings

warnings.simplefilter("error")
torch.set_default_dtype(torch.float64)
torch.set_num_threads(64)
torch.use_deterministic_algorithms(True)


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
