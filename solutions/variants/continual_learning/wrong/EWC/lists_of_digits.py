# misconception: you keep every task, as lists of small whole numbers
class EWC:
    def __init__(self, lam):
        self.lam, self.tasks = lam, []
        self.room = None

    def after_task(self, model, fisher):
        weights = dict(model.named_parameters())
        both = {name: torch.stack([entries, weights[name].detach()]) for name, entries in fisher.items()}
        self.tasks.append({name: (list(each.numpy().tobytes()), each.shape) for name, each in both.items()})
        self.room = [torch.zeros_like(weight) for weight in weights.values() for _ in range(3)]

    def penalty(self, model):
        weights, total = dict(model.named_parameters()), torch.zeros(())
        for task in self.tasks:
            for name, (digits, shape) in task.items():
                entries, anchor = torch.frombuffer(bytearray(digits), dtype=torch.float32).reshape(shape)
                total = total + (entries * (weights[name] - anchor) ** 2).sum()
        return self.lam / 2 * total
