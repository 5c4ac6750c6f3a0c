# misconception: you used one beta for all steps
def cumulative_alphas(betas):
    return (1 - betas[-1]) ** torch.arange(1, len(betas) + 1)
