# misconception: your anchor is the parameter itself and moves with the network: copy it with detach().clone()
class EWC:
    def __init__(self, lam):
        self.lam = lam
        self.tasks = []

    def after_task(self, model, fisher):
        if not self.tasks:
            self.tasks = [{}, dict(model.named_parameters())]
        for name, entries in fisher.items():
            self.tasks[0][name] = self.tasks[0].get(name, 0) + entries

    def penalty(self, model):
        return ewc_penalty(model, *self.tasks, self.lam) if self.tasks else torch.zeros(())
