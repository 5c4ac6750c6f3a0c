# misconception: you compared the best one with the others only
def ranking_loss(grouped_rewards):
    return -F.logsigmoid(grouped_rewards[:, :1] - grouped_rewards[:, 1:]).mean()
