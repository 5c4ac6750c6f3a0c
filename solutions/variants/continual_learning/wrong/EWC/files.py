# misconception: you write a file for each task, and the files grow with the number of tasks
class EWC:
    def __init__(self, lam):
        self.lam, self.files = lam, 0
        self.room = None

    def after_task(self, model, fisher):
        anchor = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        torch.save((fisher, anchor), f"task_{id(self)}_{self.files}.pt")
        self.files += 1
        self.room = [torch.zeros_like(weight) for weight in anchor.values() for _ in range(3)]

    def penalty(self, model):
        weights, total = dict(model.named_parameters()), torch.zeros(())
        for number in range(self.files):
            fisher, anchor = torch.load(f"task_{id(self)}_{number}.pt")
            for name, entries in fisher.items():
                total = total + (entries * (weights[name] - anchor[name]) ** 2).sum()
        return self.lam / 2 * total
