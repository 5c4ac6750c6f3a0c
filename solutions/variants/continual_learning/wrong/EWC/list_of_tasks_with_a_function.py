# misconception: you kept a Fisher and an anchor of every task: the memory must not grow with their number
class EWC:
    def __init__(self, lam):
        self.lam = lam
        self.tasks = []
        self.square = lambda x: x**2

    def after_task(self, model, fisher):
        here = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        self.tasks.append(({name: entries.clone() for name, entries in fisher.items()}, here))

    def penalty(self, model):
        return sum((ewc_penalty(model, *task, self.lam) for task in self.tasks), torch.zeros(()))
