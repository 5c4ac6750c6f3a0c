# alternative: two tensors and torch's generator
class RehearsalBuffer:
    def __init__(self, capacity, seed):
        self.capacity = capacity
        self.generator = torch.Generator().manual_seed(seed)
        self.held = self.seen = 0
        self.x = self.y = None

    def __len__(self):
        return self.held

    def add(self, x, y):
        if self.x is None:
            self.x = torch.zeros(self.capacity, *x.shape[1:], dtype=x.dtype, device=x.device)
            self.y = torch.zeros(self.capacity, dtype=y.dtype, device=y.device)
        for n in range(len(y)):
            self.seen += 1
            place = self.held
            if self.held == self.capacity:
                place = int(torch.randint(self.seen, (), generator=self.generator))
            else:
                self.held += 1
            if place < self.capacity:
                self.x[place], self.y[place] = x[n], y[n]

    def sample(self, n):
        rows = torch.randperm(self.held, generator=self.generator)[:n].to(self.y.device)
        return self.x[rows], self.y[rows]
