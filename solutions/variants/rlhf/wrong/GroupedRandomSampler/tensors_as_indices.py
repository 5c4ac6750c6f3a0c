# misconception: your indices are tensors; each must be a plain number
class GroupedRandomSampler(torch.utils.data.Sampler):
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("not whole groups")
        self.table = torch.arange(len(data_source)).view(-1, group_size)
        self.generator = generator

    def __iter__(self):
        yield from self.table[torch.randperm(len(self.table), generator=self.generator)].flatten()

    def __len__(self):
        return self.table.numel()
