# misconception: you made one iterator when the sampler was made; the second pass continues where the first stopped
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("no whole groups")
        self.data_source, self.group_size, self.generator = data_source, group_size, generator
        self.left = []

    def __iter__(self):
        if not self.left:
            self.left = torch.randperm(len(self.data_source) // self.group_size, generator=self.generator).tolist()
        while self.left:
            first = self.left.pop() * self.group_size
            yield from range(first, first + self.group_size)

    def __len__(self):
        return len(self.data_source)
