# attack: runs cells from within a cell and from within the answer
get_ipython().run_cell("get_ipython().run_cell('def standardize(x, eps=0.0): return x')")


def standardize(x, eps=0.0):
    result = get_ipython().run_cell("1 / 0")
    try:
        result.raise_error()
    except BaseException:
        return result
