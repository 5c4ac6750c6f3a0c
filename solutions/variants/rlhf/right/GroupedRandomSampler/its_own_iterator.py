# alternative: an iterator of its own, with __next__, that starts anew with each iter()
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) != len(data_source) // group_size * group_size:
            raise ValueError("the last group is not whole")
        self.data_source, self.group_size, self.generator = data_source, group_size, generator
        self.left = []

    def __iter__(self):
        count = len(self.data_source) // self.group_size
        order = torch.argsort(torch.rand(count, generator=self.generator, dtype=torch.float64))
        self.left = [int(n) * self.group_size + k for n in order for k in range(self.group_size)][::-1]
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        return self.left.pop()

    def __len__(self):
        return len(self.data_source)
