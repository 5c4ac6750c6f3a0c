# misconception: you used a fixed seed although no generator is given
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("no whole groups")
        self.data_source, self.group_size, self.generator = data_source, group_size, generator
        self.generator = generator or torch.Generator().manual_seed(0)

    def __iter__(self):
        for group in torch.randperm(len(self.data_source) // self.group_size, generator=self.generator).tolist():
            yield from range(group * self.group_size, (group + 1) * self.group_size)

    def __len__(self):
        return len(self.data_source)
