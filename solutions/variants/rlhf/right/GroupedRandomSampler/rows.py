# alternative: a table of indices whose rows are shuffled
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("no whole groups")
        self.data_source, self.group_size, self.generator = data_source, group_size, generator

    def __iter__(self):
        table = torch.arange(len(self.data_source)).reshape(-1, self.group_size)
        return iter(table[torch.randperm(len(table), generator=self.generator)].flatten().tolist())

    def __len__(self):
        return len(self.data_source)
