# misconception: you kept a Fisher and an anchor of every task, in a variable outside of the object
ALL_TASKS = {}


class EWC:
    def __init__(self, lam):
        self.lam, self.key = lam, len(ALL_TASKS)
        ALL_TASKS[self.key] = []

    def after_task(self, model, fisher):
        here = {name: weight.detach().numpy().copy() for name, weight in model.named_parameters()}
        ALL_TASKS[self.key].append(({name: entries.numpy().copy() for name, entries in fisher.items()}, here))

    def penalty(self, model):
        total = torch.zeros(())
        for fisher, anchor in ALL_TASKS[self.key]:
            f, at = ({name: torch.from_numpy(each[name]) for name in fisher} for each in (fisher, anchor))
            total = total + ewc_penalty(model, f, at, self.lam)
        return total
