# misconception: you did not take the running product of the factors
def cumulative_alphas(betas):
    return 1 - betas
