# misconception: you changed the given labels to mark the examples seen
class RehearsalBuffer:
    def __init__(self, capacity, seed):
        self.capacity, self.random, self.seen, self.kept = capacity, random.Random(seed), 0, []

    def __len__(self):
        return len(self.kept)

    def add(self, x, y):
        for x_n, y_n in zip(x, y):
            self.seen += 1
            pair = (x_n.clone(), y_n.clone())
            if len(self.kept) < self.capacity:
                self.kept.append(pair)
            else:
                place = self.random.randrange(self.seen)
                if place < self.capacity:
                    self.kept[place] = pair
        y.fill_(-1)

    def sample(self, n):
        chosen = self.random.sample(self.kept, min(n, len(self.kept)))
        return torch.stack([x_n for x_n, _ in chosen]), torch.stack([y_n for _, y_n in chosen])
