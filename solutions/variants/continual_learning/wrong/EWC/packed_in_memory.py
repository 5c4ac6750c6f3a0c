# misconception: you keep every task, packed with torch.save
import io


class EWC:
    def __init__(self, lam):
        self.lam, self.tasks = lam, []
        self.room = None

    def after_task(self, model, fisher):
        anchor = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        packed = io.BytesIO()
        torch.save((fisher, anchor), packed)
        self.tasks.append(packed)
        self.room = [torch.zeros_like(weight) for weight in anchor.values() for _ in range(3)]

    def penalty(self, model):
        weights, total = dict(model.named_parameters()), torch.zeros(())
        for packed in self.tasks:
            packed.seek(0)
            fisher, anchor = torch.load(packed)
            for name, entries in fisher.items():
                total = total + (entries * (weights[name] - anchor[name]) ** 2).sum()
        return self.lam / 2 * total
