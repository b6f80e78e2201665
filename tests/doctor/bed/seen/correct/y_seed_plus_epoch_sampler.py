# expect: nothing
# looks suspicious: a generator is seeded anew at the start of every epoch: with seed + epoch, as
# DistributedSampler does after set_epoch, so that every epoch has its own order.
import math

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset


class ShardSampler(Sampler):
    def __init__(self, size, replicas, rank, seed=0):
        self.size, self.replicas, self.rank, self.seed, self.epoch = size, replicas, rank, seed, 0
        self.num_samples = math.ceil(size / replicas)

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return self.num_samples

    def __iter__(self):
        g = torch.Generator()
        g.manual_seed(self.seed + self.epoch)
        indices = torch.randperm(self.size, generator=g).tolist()
        indices += indices[: self.num_samples * self.replicas - self.size]
        return iter(indices[self.rank :: self.replicas])


torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16).float(), torch.tensor(d.target)
perm = torch.randperm(len(x))
dataset = TensorDataset(x[perm[:1400]], y[perm[:1400]])
samplers = [ShardSampler(1400, 2, rank) for rank in range(2)]
loaders = [DataLoader(dataset, batch_size=50, sampler=s) for s in samplers]
model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(4):
    for sampler in samplers:
        sampler.set_epoch(epoch)
    model.train()
    for shards in zip(*loaders, strict=True):
        optimizer.zero_grad()
        losses = [nn.functional.cross_entropy(model(xb), yb) for xb, yb in shards]
        loss = sum(losses) / len(losses)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        accuracy = (model(x[perm[1400:]]).argmax(1) == y[perm[1400:]]).float().mean()
    print(f"epoch {epoch} loss {loss.item():.4f} test accuracy {accuracy:.3f}")
