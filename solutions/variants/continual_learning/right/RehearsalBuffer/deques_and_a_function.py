# alternative: random keys in a heap, in an object that cannot be saved; the examples in a deque
import collections
import heapq


class RehearsalBuffer:
    def __init__(self, capacity, seed):
        self.capacity, self.rng = capacity, random.Random(seed)
        self.key = lambda: self.rng.random()
        self.heap = collections.deque()
        self.came = 0

    def __len__(self):
        return len(self.heap)

    def add(self, x, y):
        held = list(self.heap)
        for x_n, y_n in zip(x, y, strict=True):
            self.came += 1
            entry = (self.key(), self.came, x_n.clone(), y_n.clone())
            if len(held) < self.capacity:
                heapq.heappush(held, entry)
            else:
                heapq.heappushpop(held, entry)
        self.heap = collections.deque(held)

    def sample(self, n):
        chosen = self.rng.sample(list(self.heap), min(n, len(self.heap)))
        return torch.stack([entry[2] for entry in chosen]), torch.stack([entry[3] for entry in chosen])
