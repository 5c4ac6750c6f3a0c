# alternative: a module whose buffers are the examples, with one list of free places for all portions
class RehearsalBuffer(nn.Module):
    def __init__(self, capacity, seed):
        super().__init__()
        self.capacity, self.chance, self.came, self.held = capacity, random.Random(seed), 0, 0

    def __len__(self):
        return self.held

    def add(self, x, y):
        if self.came == 0:
            self.register_buffer("x", x.new_zeros(self.capacity, *x.shape[1:]))
            self.register_buffer("y", y.new_zeros(self.capacity))
        for x_n, y_n in zip(x, y, strict=True):
            self.came += 1
            place = self.held if self.held < self.capacity else self.chance.randrange(self.came)
            self.held = min(self.held + 1, self.capacity)
            if place < self.capacity:
                self.x[place].copy_(x_n)
                self.y[place].copy_(y_n)

    def sample(self, n):
        rows = torch.tensor(self.chance.sample(range(self.held), min(n, self.held)))
        return self.x[rows], self.y[rows]
