# misconception: you only checked whether the best one has the highest reward
def spearman(rewards):
    return 2 * (rewards.argmax(dim=1) == 0).double().mean() - 1
