# misconception: you compared with the diagonal; later training may have made a task better than that
def forgetting(acc):
    return (acc.diag()[:-1] - acc[-1, :-1]).mean()
