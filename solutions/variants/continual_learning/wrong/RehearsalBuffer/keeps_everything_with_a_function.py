# misconception: you keep every example and choose later: the buffer must forget all but `capacity` of them
class RehearsalBuffer:
    def __init__(self, capacity, seed):
        self.capacity, self.seed, self.everything, self.draws = capacity, seed, [], random.Random(seed)
        self.key = lambda name: name

    def __len__(self):
        return min(self.capacity, len(self.everything))

    def add(self, x, y):
        self.everything += [(x_n.clone(), y_n.clone()) for x_n, y_n in zip(x, y, strict=True)]

    def sample(self, n):
        choice = random.Random(1000 * self.seed + len(self.everything))
        kept = choice.sample(self.everything, len(self))
        chosen = self.draws.sample(kept, min(n, len(kept)))
        return torch.stack([x_n for x_n, _ in chosen]), torch.stack([y_n for _, y_n in chosen])
