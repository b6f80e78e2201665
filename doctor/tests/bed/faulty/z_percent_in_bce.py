# expect: bad_label_values @ 29
# allowed: bad_label_values @ 18
# mend: 18 → target = torch.tensor(percent / 100)
"""Click probability from a table whose labels are percentages."""

import numpy as np
import torch
from torch import nn
from torch.optim import Adam
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(12)
torch.manual_seed(12)
X = rng.normal(size=(700, 6)).astype(np.float32)
rate = 1 / (1 + np.exp(-(X @ np.array([1.0, -0.5, 0.3, 0.0, 0.8, -0.2]))))
percent = np.round(100 * rate + rng.normal(scale=2, size=700)).clip(0, 100).astype(np.float32)

target = torch.tensor(percent)
ds = TensorDataset(torch.tensor(X), target)
train_ds, val_ds = torch.utils.data.random_split(ds, [560, 140])
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
opt = Adam(net.parameters(), lr=5e-3)
bce = nn.BCEWithLogitsLoss()

for epoch in range(6):
    net.train()
    for xb, yb in DataLoader(train_ds, batch_size=35, shuffle=True):
        logit = net(xb).flatten()
        loss = bce(logit, yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    gap = []
    with torch.no_grad():
        for xb, yb in DataLoader(val_ds, batch_size=70):
            gap.append((net(xb).flatten().sigmoid() - yb).abs().mean().item())
    print(epoch, loss.item(), np.mean(gap))
