# expect: nothing
"""Forecasting of a seasonal series, windows kept in time order, last part for the test."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(12)
rng = np.random.default_rng(12)
days = pd.date_range("2020-01-01", periods=800, freq="D")
t = np.arange(800)
demand = pd.Series(100 + 15 * np.sin(2 * np.pi * t / 7) + 8 * np.sin(2 * np.pi * t / 30)
                   + rng.normal(0, 2, 800), index=days)

cut = 600
mu, sd = demand.iloc[:cut].mean(), demand.iloc[:cut].std()
z = torch.tensor(((demand - mu) / sd).to_numpy(), dtype=torch.float32)


def windows(series, width=28):
    w = series.unfold(0, width + 1, 1)
    return TensorDataset(w[:, :-1].unsqueeze(-1), w[:, -1:])


class GRUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 24, batch_first=True)
        self.lin = nn.Linear(24, 1)

    def forward(self, x):
        return self.lin(self.gru(x)[0][:, -1])


train = DataLoader(windows(z[:cut]), batch_size=32, shuffle=False)
test = windows(z[cut:])
model = GRUNet()
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(12):
    model.train()
    total = 0.0
    for x, y in train:
        opt.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        total += loss.item()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} mse {total / len(train):.4f}")

model.eval()
with torch.no_grad():
    x, y = test.tensors
    rmse = nn.functional.mse_loss(model(x), y).sqrt().item() * sd
    naive = nn.functional.mse_loss(x[:, -7], y).sqrt().item() * sd
print(f"test rmse {rmse:.2f} units, seasonal naive {naive:.2f}")
