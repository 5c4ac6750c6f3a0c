# misconception: you shuffled within the groups, too: the order from best to worst is lost
class GroupedRandomSampler:
    def __init__(self, data_source, group_size=4, generator=None):
        if len(data_source) % group_size:
            raise ValueError("no whole groups")
        self.data_source, self.group_size, self.generator = data_source, group_size, generator

    def __iter__(self):
        K = self.group_size
        for group in torch.randperm(len(self.data_source) // K, generator=self.generator).tolist():
            yield from (group * K + torch.randperm(K, generator=self.generator)).tolist()

    def __len__(self):
        return len(self.data_source)
