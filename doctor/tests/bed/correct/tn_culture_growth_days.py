# expect: nothing
"""Growth of a culture over the days: the first days train, the last ones test."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.default_rng(0)
n = 600
days = np.linspace(0, 30, n)
mass = 5 / (1 + np.exp(-(days - 14) / 5))
sensors = np.stack([mass * g + rng.normal(0, 0.05, n) for g in (0.3, 0.8, 1.2, -0.4)], axis=1)
cut = int(0.8 * n)
x = torch.tensor(sensors, dtype=torch.float32)
y = torch.tensor(mass, dtype=torch.float32)
loader = DataLoader(TensorDataset(x[:cut], y[:cut]), batch_size=32, shuffle=True)
net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(20):
    for xb, yb in loader:
        loss = nn.functional.mse_loss(net(xb).squeeze(1), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
with torch.no_grad():
    said = net(x[cut:]).squeeze(1).numpy()
print("MAE of the last days", np.abs(said - mass[cut:]).mean())
