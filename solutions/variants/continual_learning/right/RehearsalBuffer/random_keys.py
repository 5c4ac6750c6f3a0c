# alternative: each example gets a random key, and those with the smallest keys stay
class RehearsalBuffer:
    def __init__(self, capacity, seed):
        self.capacity, self.random, self.kept = capacity, random.Random(seed), []

    def __len__(self):
        return len(self.kept)

    def add(self, x, y):
        for x_n, y_n in zip(x, y, strict=True):
            self.kept.append((self.random.random(), x_n.detach().clone(), y_n.detach().clone()))
        self.kept = sorted(self.kept, key=lambda entry: entry[0])[: self.capacity]

    def sample(self, n):
        chosen = self.random.sample(self.kept, min(n, len(self.kept)))
        return torch.stack([entry[1] for entry in chosen]), torch.stack([entry[2] for entry in chosen])
