import numpy as np
import torch
from torch import nn

np.random.seed(123)
rng = np.random.default_rng(321)
torch.manual_seed(4)
images = np.random.rand(48, 1, 8, 8).astype("float32")
labels = (images[:, 0, :4].mean((1, 2)) > images[:, 0, 4:].mean((1, 2))).astype("int64")


def augment(batch):
    batch = batch.copy()
    for picture in batch:
        if rng.random() < 0.5:
            picture[:] = picture[:, :, ::-1]
        picture += np.random.normal(0, 0.05, picture.shape)
    return torch.from_numpy(batch)


net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
optimizer = torch.optim.Adam(net.parameters(), 0.003)
for epoch in range(6):
    order = np.random.permutation(len(images))
    losses = []
    for begin in range(0, len(order), 8):
        batch = order[begin : begin + 8]
        loss = nn.functional.cross_entropy(net(augment(images[batch])), torch.from_numpy(labels[batch]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print("epoch", epoch, np.mean(losses), np.random.rand(), rng.integers(1000))
