# misconception: your gradient is right, but the value lacks the constant: the sum of two parabolas is not 0 at its minimum
class EWC:
    def __init__(self, lam):
        self.lam = lam
        self.square, self.slope, self.rest = {}, {}, 0.0

    def after_task(self, model, fisher):
        here = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        for name, new in fisher.items():
            old = self.square.get(name, torch.zeros_like(new))
            middle = self.slope.get(name, torch.zeros_like(new))
            self.square[name] = old + new
            self.slope[name] = (old * middle + new * here[name]) / (old + new).clamp(min=1e-30)

    def penalty(self, model):
        if not self.square:
            return torch.zeros(())
        return ewc_penalty(model, self.square, self.slope, self.lam)
