# misconception: you gave whole groups as lists, not one index after the other
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("not whole groups")
        self.length, self.size, self.generator = len(data_source), group_size, generator

    def __iter__(self):
        for n in torch.randperm(self.length // self.size, generator=self.generator).tolist():
            yield list(range(n * self.size, (n + 1) * self.size))

    def __len__(self):
        return self.length
