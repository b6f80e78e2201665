# expect: loss_arguments_swapped @ 27
# mend: 27 →         loss = criterion(model(rows), labels)
"""Will it rain tomorrow, from six measurements of today."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(4)
torch.manual_seed(4)
measured = rng.normal(size=(800, 6)).astype("float32")
chance = 1 / (1 + np.exp(-(measured @ np.array([1.5, -1.0, 0.6, 0.0, 0.4, -0.3]))))
rains = (rng.random(800) < chance).astype("float32")[:, None]

train = TensorDataset(torch.from_numpy(measured[:600]), torch.from_numpy(rains[:600]))
x_test, y_test = torch.from_numpy(measured[600:]), torch.from_numpy(rains[600:])
model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)

for epoch in range(5):
    model.train()
    total = 0.0
    for rows, labels in DataLoader(train, batch_size=50, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(labels, model(rows))
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    model.eval()
    with torch.no_grad():
        right = ((model(x_test) > 0) == (y_test > 0.5)).float().mean().item()
    print(f"epoch {epoch}: loss {total / 600:.4f}, right {right:.3f}")
