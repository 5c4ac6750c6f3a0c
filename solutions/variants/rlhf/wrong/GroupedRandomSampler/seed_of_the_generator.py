# misconception: you made a new generator from the seed of the given one
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("not whole groups")
        self.length, self.size, self.generator = len(data_source), group_size, None
        if generator is not None:
            self.generator = torch.Generator().manual_seed(generator.initial_seed())

    def __iter__(self):
        for n in torch.randperm(self.length // self.size, generator=self.generator).tolist():
            yield from range(n * self.size, (n + 1) * self.size)

    def __len__(self):
        return self.length
