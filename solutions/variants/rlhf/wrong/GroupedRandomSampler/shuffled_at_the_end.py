# misconception: you shuffle at the end of a pass: after a pass that stops early the same order comes again
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("not whole groups")
        self.length, self.size, self.generator = len(data_source), group_size, generator
        self.order = torch.randperm(self.length // self.size, generator=generator).tolist()

    def __iter__(self):
        for n in self.order:
            yield from range(n * self.size, (n + 1) * self.size)
        self.order = torch.randperm(self.length // self.size, generator=self.generator).tolist()

    def __len__(self):
        return self.length
