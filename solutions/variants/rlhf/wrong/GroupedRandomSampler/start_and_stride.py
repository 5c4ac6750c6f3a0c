# misconception: you draw a start and a stride only, so that few of all orders of the groups can occur
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("the length is not a multiple of group_size")
        self.length, self.group_size, self.generator = len(data_source), group_size, generator

    def __iter__(self):
        groups = self.length // self.group_size
        strides = [stride for stride in range(1, groups + 1) if math.gcd(stride, groups) == 1]
        start = int(torch.randint(groups, (), generator=self.generator))
        stride = strides[int(torch.randint(len(strides), (), generator=self.generator))]
        for number in range(groups):
            group = (start + number * stride) % groups
            yield from range(group * self.group_size, (group + 1) * self.group_size)

    def __len__(self):
        return self.length
