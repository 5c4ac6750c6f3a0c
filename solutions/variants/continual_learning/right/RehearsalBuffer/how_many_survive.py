# alternative: for each portion the number of survivors is drawn first (hypergeometric), with numpy
class RehearsalBuffer:
    def __init__(self, capacity, seed):
        import numpy as np

        self.capacity, self.rng, self.seen = capacity, np.random.RandomState(seed), 0
        self.x = self.y = None

    def __len__(self):
        return 0 if self.y is None else len(self.y)

    def add(self, x, y):
        came = len(y)
        room = min(self.capacity, self.seen + came)
        new = int(self.rng.hypergeometric(came, self.seen, room))
        rows = torch.from_numpy(self.rng.permutation(came)[:new])
        x, y = x[rows].clone(), y[rows].clone()
        if self.seen:
            old = torch.from_numpy(self.rng.permutation(len(self.y))[: room - new])
            x, y = torch.cat([self.x[old], x]), torch.cat([self.y[old], y])
        self.seen += came
        self.x, self.y = x, y

    def sample(self, n):
        rows = torch.from_numpy(self.rng.permutation(len(self.y))[:n])
        return self.x[rows], self.y[rows]
