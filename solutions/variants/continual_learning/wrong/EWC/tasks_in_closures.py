# misconception: you kept a Fisher and an anchor of every task, in functions that call one another
class EWC:
    def __init__(self, lam):
        self.lam = lam
        self.total = lambda model: torch.zeros(())

    def after_task(self, model, fisher):
        here = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        mine = {name: entries.clone() for name, entries in fisher.items()}
        before = self.total
        self.total = lambda model: before(model) + ewc_penalty(model, mine, here, self.lam)

    def penalty(self, model):
        return self.total(model)
