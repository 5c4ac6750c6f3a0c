# alternative: three sums over all weights in one vector, without ewc_penalty
class EWC:
    def __init__(self, lam):
        self.lam = lam
        self.names = []
        self.sums = None

    def flat(self, tensors):
        return torch.cat([tensors[name].reshape(-1) for name in self.names])

    def after_task(self, model, fisher):
        self.names = list(fisher)
        f, at = self.flat(fisher), self.flat(dict(model.named_parameters())).detach()
        new = torch.stack([f, f * at, f * at**2]).double()
        self.sums = new if self.sums is None else self.sums + new

    def penalty(self, model):
        if self.sums is None:
            return torch.zeros(())
        theta = self.flat(dict(model.named_parameters())).double()
        square, slope, rest = self.sums
        return (0.5 * self.lam * (square * theta**2 - 2 * slope * theta + rest).sum()).float()
