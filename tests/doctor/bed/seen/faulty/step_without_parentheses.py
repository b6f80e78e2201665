# expect: no_step @ 32
"""Autoencoder on digits."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader


class AutoEncoder(nn.Module):
    def __init__(self, d=64, k=8):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Linear(32, k))
        self.decoder = nn.Sequential(nn.Linear(k, 32), nn.ReLU(), nn.Linear(32, d), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


torch.manual_seed(0)
x = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
loader = DataLoader(x, batch_size=64, shuffle=True)
ae = AutoEncoder()
opt = torch.optim.Adam(ae.parameters(), lr=3e-3)
mse = nn.MSELoss()
for epoch in range(4):
    total = 0.0
    for xb in loader:
        opt.zero_grad()
        loss = mse(ae(xb), xb)
        loss.backward()
        opt.step  # noqa: B018
        total += loss.item() * len(xb)
    print(f"epoch {epoch} reconstruction error {total / len(x):.5f}")
