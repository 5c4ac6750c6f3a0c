# misconception: you gave the items themselves, not their indices
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("not whole groups")
        self.data, self.size, self.generator = list(data_source), group_size, generator

    def __iter__(self):
        for n in torch.randperm(len(self.data) // self.size, generator=self.generator).tolist():
            yield from self.data[n * self.size : (n + 1) * self.size]

    def __len__(self):
        return len(self.data)
