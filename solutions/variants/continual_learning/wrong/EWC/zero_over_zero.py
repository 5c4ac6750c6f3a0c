# misconception: where no task needs a weight you divide 0 by 0, and the penalty becomes nan
class EWC:
    def __init__(self, lam):
        self.lam = lam
        self.square, self.slope, self.rest = {}, {}, 0.0

    def after_task(self, model, fisher):
        here = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        for name, new in fisher.items():
            old = self.square.get(name, torch.zeros_like(new))
            middle = self.slope.get(name, torch.zeros_like(new))
            share = new / (old + new)
            self.rest = self.rest + (old * share * (here[name] - middle) ** 2).sum()
            self.square[name], self.slope[name] = old + new, middle + share * (here[name] - middle)

    def penalty(self, model):
        if not self.square:
            return torch.zeros(())
        return ewc_penalty(model, self.square, self.slope, self.lam) + self.lam / 2 * self.rest
