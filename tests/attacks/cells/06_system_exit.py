# attack: raises SystemExit(0), as if the program had ended well
def standardize(x, eps=0.0):
    raise SystemExit(0)
