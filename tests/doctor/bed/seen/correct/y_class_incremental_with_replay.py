# expect: nothing
# looks suspicious: the classes come one pair after the other, never mixed from the start: class-incremental
# learning with a memory of old rows, the order is the task.
import random

import torch
from sklearn.datasets import load_digits
from torch import nn

random.seed(0)
torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16).float(), torch.tensor(d.target)
order = torch.randperm(len(x))
train, test = order[:1400], order[1400:]


class Memory:
    def __init__(self, size):
        self.size, self.rows, self.seen = size, [], 0

    def add(self, indices):
        for i in indices.tolist():
            self.seen += 1
            if len(self.rows) < self.size:
                self.rows.append(i)
            elif random.random() < self.size / self.seen:
                self.rows[random.randrange(self.size)] = i

    def draw(self, k):
        return torch.tensor(random.sample(self.rows, min(k, len(self.rows))))


net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
memory = Memory(300)
for task in range(5):
    classes = (2 * task, 2 * task + 1)
    rows = train[(y[train] == classes[0]) | (y[train] == classes[1])]
    for _ in range(4):
        net.train()
        for batch in rows[torch.randperm(len(rows))].split(20):
            if memory.rows:
                batch = torch.cat([batch, memory.draw(40)])
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
    memory.add(rows)
    net.eval()
    with torch.no_grad():
        known = test[y[test] <= classes[1]]
        accuracy = (net(x[known]).argmax(1) == y[known]).float().mean().item()
    print(f"after classes {classes}: loss {loss.item():.3f}, accuracy on all so far {accuracy:.3f}")
