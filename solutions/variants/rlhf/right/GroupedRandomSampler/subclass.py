# alternative: a subclass of PyTorch's Sampler that keeps only lengths
class GroupedRandomSampler(torch.utils.data.Sampler):
    def __init__(self, data_source, group_size=4, generator=None):
        groups, rest = divmod(len(data_source), group_size)
        if rest != 0:
            raise ValueError(f"{rest} items are left over")
        self.groups, self.K, self.random = groups, group_size, generator

    def __iter__(self):
        starts = self.K * torch.randperm(self.groups, generator=self.random)
        for start in starts:
            for offset in range(self.K):
                yield int(start) + offset

    def __len__(self):
        return self.groups * self.K
