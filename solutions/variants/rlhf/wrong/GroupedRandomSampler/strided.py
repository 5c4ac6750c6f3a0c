# misconception: you took indices that are a number of groups apart, not neighbours
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("no whole groups")
        self.data_source, self.group_size, self.generator = data_source, group_size, generator

    def __iter__(self):
        groups = len(self.data_source) // self.group_size
        for group in torch.randperm(groups, generator=self.generator).tolist():
            yield from range(group, len(self.data_source), groups)

    def __len__(self):
        return len(self.data_source)
