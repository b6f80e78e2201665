# expect: targets_out_of_reach @ 21
# mend: 21 →             nn.Linear(32, 1),
"""The strength of concrete in MPa, from a net whose last layer is the one of a yes or no."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(4)
mix = rng.uniform(0, 1, size=(400, 6)).astype(np.float32)
strength = (25 + 40 * mix[:, 0] - 18 * mix[:, 3] + 9 * mix[:, 1] * mix[:, 5] + rng.normal(0, 2, 400)).astype(np.float32)


class Strength(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(6, 32),
            nn.ReLU(),
            nn.Linear(32, 1), nn.Sigmoid(),
        )

    def forward(self, rows):
        return self.layers(rows).squeeze(1)


torch.manual_seed(4)
train = TensorDataset(torch.from_numpy(mix[:300]), torch.from_numpy(strength[:300]))
loader = DataLoader(train, batch_size=30, shuffle=True)
net, criterion = Strength(), nn.MSELoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
for epoch in range(60):
    net.train()
    for rows, goal in loader:
        optimizer.zero_grad()
        loss = criterion(net(rows), goal)
        loss.backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    errors = net(torch.from_numpy(mix[300:])) - torch.from_numpy(strength[300:])
print(f"RMSE {errors.pow(2).mean().sqrt().item():.2f} MPa")
