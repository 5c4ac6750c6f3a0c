# misconception: every new example replaces a random one, so the newest are favoured
class RehearsalBuffer:
    def __init__(self, capacity, seed):
        self.capacity = capacity
        self.random = random.Random(seed)
        self.seen = 0
        self.kept = []

    def __len__(self):
        return len(self.kept)

    def add(self, x, y):
        for pair in zip(x, y, strict=True):
            self.seen += 1
            if len(self.kept) < self.capacity:
                self.kept.append(tuple(part.clone() for part in pair))
                continue
            place = self.random.randrange(self.capacity)
            if place < self.capacity:
                self.kept[place] = tuple(part.clone() for part in pair)

    def sample(self, n):
        chosen = self.random.sample(self.kept, min(n, len(self.kept)))
        return torch.stack([x_n for x_n, _ in chosen]), torch.stack([y_n for _, y_n in chosen])
