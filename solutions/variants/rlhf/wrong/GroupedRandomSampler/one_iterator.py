# misconception: you made the iterator once, when the sampler was made; the second pass finds it empty
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("not whole groups")
        self.length = len(data_source)
        order = torch.randperm(self.length // group_size, generator=generator).tolist()
        self.indices = iter([n * group_size + k for n in order for k in range(group_size)])

    def __iter__(self):
        return self.indices

    def __len__(self):
        return self.length
