# misconception: you shuffled once, when the sampler was made; each pass needs a new order
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("no whole groups")
        self.data_source, self.group_size, self.generator = data_source, group_size, generator
        self.order = torch.randperm(len(data_source) // group_size, generator=generator).tolist()

    def __iter__(self):
        for group in self.order:
            yield from range(group * self.group_size, (group + 1) * self.group_size)

    def __len__(self):
        return len(self.data_source)
