# misconception: you compared neighbours only, not all pairs
def ranking_loss(grouped_rewards):
    return -F.logsigmoid(grouped_rewards[:, :-1] - grouped_rewards[:, 1:]).mean()
