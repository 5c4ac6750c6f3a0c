# misconception: you changed the given matrix in place: the caller still needs it
def forgetting(acc):
    acc -= acc[-1].clone()
    return acc[:, :-1].max(dim=0).values.mean()
