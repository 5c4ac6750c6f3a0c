# misconception: you wrote 4 instead of the group size
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("no whole groups")
        self.data_source, self.group_size, self.generator = data_source, group_size, generator

    def __iter__(self):
        for group in torch.randperm(len(self.data_source) // 4, generator=self.generator).tolist():
            yield from range(group * 4, (group + 1) * 4)

    def __len__(self):
        return len(self.data_source)
