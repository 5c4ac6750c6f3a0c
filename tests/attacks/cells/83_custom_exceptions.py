# attack: registers a handler with IPython that swallows every exception, and one that raises
shell = get_ipython()
shell.set_custom_exc((BaseException,), lambda *args, **kwargs: None)
shell.showtraceback = shell.showsyntaxerror = lambda *args, **kwargs: None


def standardize(x, eps=0.0):
    raise AssertionError("must be swallowed")
