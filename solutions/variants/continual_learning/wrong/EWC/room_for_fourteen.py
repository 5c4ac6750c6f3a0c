# misconception: you keep the last 14 tasks only
class EWC:
    def __init__(self, lam):
        self.lam, self.number, self.room = lam, 0, {}

    def after_task(self, model, fisher):
        for name, weight in model.named_parameters():
            if name in fisher:
                room = self.room.setdefault(name, torch.zeros(2, 14, *weight.shape))
                room[0, self.number % 14], room[1, self.number % 14] = fisher[name], weight.detach()
        self.number += 1

    def penalty(self, model):
        total = torch.zeros(())
        for name, weight in model.named_parameters():
            if name in self.room:
                entries, anchors = self.room[name]
                total = total + (entries * (weight - anchors) ** 2).sum()
        return self.lam / 2 * total
