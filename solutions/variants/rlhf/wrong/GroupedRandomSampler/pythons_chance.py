# misconception: without a generator you drew from Python's random numbers, not from torch's
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("not whole groups")
        self.length, self.size, self.generator = len(data_source), group_size, generator

    def __iter__(self):
        groups = list(range(self.length // self.size))
        if self.generator is None:
            random.shuffle(groups)
        else:
            groups = torch.randperm(len(groups), generator=self.generator).tolist()
        for n in groups:
            yield from range(n * self.size, (n + 1) * self.size)

    def __len__(self):
        return self.length
