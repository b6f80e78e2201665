# expect: nothing
# mends: z_taxi_heads_one_cleared.py
"""Two regression heads on one trunk; each head has its own optimizer."""

import numpy as np
import torch
from sklearn.datasets import make_regression
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(7)
X, Y = make_regression(800, 12, n_targets=2, noise=5.0, random_state=0)
X = torch.from_numpy(X.astype(np.float32))
Y = torch.from_numpy((Y / Y[:600].std(0)).astype(np.float32))
train_dl = DataLoader(TensorDataset(X[:600], Y[:600]), batch_size=50, shuffle=True)


class TripModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(12, 32), nn.ReLU())
        self.fare = nn.Linear(32, 1)
        self.minutes = nn.Linear(32, 1)

    def forward(self, x):
        z = self.trunk(x)
        return self.fare(z).squeeze(1), self.minutes(z).squeeze(1)


net = TripModel()
opt_body = torch.optim.SGD([*net.trunk.parameters(), *net.fare.parameters()], lr=0.02)
opt_minutes = torch.optim.SGD(net.minutes.parameters(), lr=0.02)
mse = nn.MSELoss()

for epoch in range(8):
    running = 0.0
    for xb, yb in train_dl:
        fare, minutes = net(xb)
        loss = mse(fare, yb[:, 0]) + mse(minutes, yb[:, 1])
        opt_body.zero_grad()
        opt_minutes.zero_grad()
        loss.backward()
        opt_body.step()
        opt_minutes.step()
        running += loss.item() * len(xb)
    print(f"epoch {epoch}: {running / 600:.4f}")

net.eval()
with torch.no_grad():
    fare, minutes = net(X[600:])
    print("held out", mse(fare, Y[600:, 0]).item(), mse(minutes, Y[600:, 1]).item())
