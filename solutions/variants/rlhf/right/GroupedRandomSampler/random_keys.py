# alternative: sorts the groups by random keys
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("no whole groups")
        self.data_source, self.group_size, self.generator = data_source, group_size, generator

    def __iter__(self):
        groups = len(self.data_source) // self.group_size
        keys = torch.rand(groups, dtype=torch.float64, generator=self.generator)
        order = []
        for group in keys.argsort().tolist():
            order.extend(group * self.group_size + k for k in range(self.group_size))
        return iter(order)

    def __len__(self):
        return len(self.data_source)
