# attack: registers an input transformer that replaces all later cells by pass
shell = get_ipython()
shell.input_transformers_cleanup.append(lambda lines: ["pass\n"])


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
