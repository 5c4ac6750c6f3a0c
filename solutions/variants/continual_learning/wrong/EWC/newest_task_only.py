# misconception: you kept the Fisher and the anchor of the newest task only: earlier tasks must stay in the sum
class EWC:
    def __init__(self, lam):
        self.lam = lam
        self.task = None

    def after_task(self, model, fisher):
        here = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        self.task = fisher, here

    def penalty(self, model):
        return ewc_penalty(model, *self.task, self.lam) if self.task else torch.zeros(())
