# misconception: you only rotated the groups by a random number of positions; their order stays
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("no whole groups")
        self.data_source, self.group_size, self.generator = data_source, group_size, generator

    def __iter__(self):
        groups = len(self.data_source) // self.group_size
        start = int(torch.randint(groups, (1,), generator=self.generator)) if groups else 0
        for group in range(groups):
            first = (group + start) % groups * self.group_size
            yield from range(first, first + self.group_size)

    def __len__(self):
        return len(self.data_source)
