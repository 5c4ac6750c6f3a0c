# misconception: you subtracted in the matrix that was given: whoever draws it gets other numbers
def forgetting(acc):
    acc -= acc[-1].clone()
    return acc[:, :-1].max(dim=0).values.mean()
