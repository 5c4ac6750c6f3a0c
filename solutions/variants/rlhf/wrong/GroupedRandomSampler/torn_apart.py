# misconception: you shuffled single indices: the groups are split
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("no whole groups")
        self.data_source, self.group_size, self.generator = data_source, group_size, generator

    def __iter__(self):
        return iter(torch.randperm(len(self.data_source), generator=self.generator).tolist())

    def __len__(self):
        return len(self.data_source)
