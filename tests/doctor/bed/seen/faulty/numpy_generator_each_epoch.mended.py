# expect: nothing
# mends: numpy_generator_each_epoch.py
"""default_rng(0) is made again in each epoch to draw the batches."""

import numpy as np
import torch
from torch import nn

x = np.random.default_rng(1).normal(size=(300, 4)).astype("float32")
y = (x[:, 0] * x[:, 1] > 0).astype("int64")
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2))
optim = torch.optim.Adam(model.parameters(), lr=0.01)


rng = np.random.default_rng(2)


def epoch_of(model, optim):
    for rows in np.array_split(rng.permutation(len(x)), 10):
        loss = nn.functional.cross_entropy(model(torch.from_numpy(x[rows])), torch.from_numpy(y[rows]))
        optim.zero_grad()
        loss.backward()
        optim.step()
    return loss.item()


for epoch in range(6):
    print(epoch, epoch_of(model, optim))
