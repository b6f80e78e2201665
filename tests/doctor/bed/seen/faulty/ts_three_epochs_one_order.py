# expect: seed_reset_each_epoch @ 18
"""Three epochs over the digits, numpy's order."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
digits = load_digits()
features = torch.tensor(digits.data / 16, dtype=torch.float32)
classes = torch.tensor(digits.target)
train, test = np.arange(1400), np.arange(1400, len(classes))
network = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
sgd = torch.optim.SGD(network.parameters(), lr=0.1)


def batches(rows, size):
    order = np.random.default_rng(11).permutation(rows)
    for start in range(0, len(order), size):
        yield torch.from_numpy(order[start : start + size])


for epoch in range(3):
    for batch in batches(train, 50):
        sgd.zero_grad()
        loss = nn.functional.cross_entropy(network(features[batch]), classes[batch])
        loss.backward()
        sgd.step()
    print(epoch, loss.item())
with torch.no_grad():
    print((network(features[test]).argmax(1) == classes[test]).float().mean().item())
