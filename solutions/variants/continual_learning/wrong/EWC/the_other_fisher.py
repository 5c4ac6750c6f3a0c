# misconception: you weighted the anchors with the Fisher of the other task
class EWC:
    def __init__(self, lam):
        self.lam = lam
        self.square, self.slope, self.rest = {}, {}, 0.0

    def after_task(self, model, fisher):
        here = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        for name, new in fisher.items():
            old = self.square.get(name, torch.zeros_like(new))
            middle = self.slope.get(name, here[name])
            share = torch.where(old > 0, old / (old + new).clamp(min=1e-30), 0.0)
            self.rest = self.rest + (share * new * (here[name] - middle) ** 2).sum()
            self.square[name], self.slope[name] = old + new, middle + share * (here[name] - middle)

    def penalty(self, model):
        if not self.square:
            return torch.zeros(())
        return ewc_penalty(model, self.square, self.slope, self.lam) + self.lam / 2 * self.rest
