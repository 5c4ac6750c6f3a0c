# misconception: you did not multiply the factors up
def cumulative_alphas(betas):
    return 1 - betas
