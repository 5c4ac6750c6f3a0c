# alternative: torch's chance seeds Python's shuffle in each pass
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size > 0:
            raise ValueError("group_size does not divide the length")
        self.starts = range(0, len(data_source), group_size)
        self.group_size, self.generator = group_size, generator

    def __iter__(self):
        source = random.Random(int(torch.randint(0, 2**62, (1,), generator=self.generator)))
        starts = source.sample(self.starts, len(self.starts))
        return itertools.chain.from_iterable(range(start, start + self.group_size) for start in starts)

    def __len__(self):
        return len(self.starts) * self.group_size
