# alternative: PyTorch's RandomSampler over the numbers of the groups
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        groups, rest = divmod(len(data_source), group_size)
        if rest != 0:
            raise ValueError(f"{rest} items are left over")
        self.group_size = group_size
        self.groups = torch.utils.data.RandomSampler(range(groups), generator=generator)

    def __iter__(self):
        return (n * self.group_size + k for n in self.groups for k in range(self.group_size))

    def __len__(self):
        return self.group_size * len(self.groups)
