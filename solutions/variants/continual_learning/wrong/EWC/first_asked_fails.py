# misconception: before the first task is finished your penalty is no tensor: it must be a scalar tensor 0
class EWC:
    def __init__(self, lam):
        self.lam = lam
        self.square, self.slope, self.rest = {}, {}, 0.0

    def after_task(self, model, fisher):
        here = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        for name, entries in fisher.items():
            self.square[name] = self.square.get(name, 0) + entries
            self.slope[name] = self.slope.get(name, 0) + entries * here[name]
            self.rest += float((entries * here[name] ** 2).sum())

    def penalty(self, model):
        total = self.rest
        for name, weight in model.named_parameters():
            if name in self.square:
                total = total + (self.square[name] * weight**2 - 2 * self.slope[name] * weight).sum()
        return self.lam / 2 * total
