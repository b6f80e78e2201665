# expect: scaler_leakage @ 36
"""Forecast a growing price series with a GRU on min-max scaled windows."""
import numpy as np
import torch
from sklearn.preprocessing import MinMaxScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

LOOKBACK = 12


def price_series(n=600, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    return 20 * np.exp(t / 260) + 3 * np.sin(t / 9) * (1 + t / 300) + rng.normal(0, 0.4, n)


def windows(values):
    x = np.stack([values[i:i + LOOKBACK] for i in range(len(values) - LOOKBACK)])
    return torch.tensor(x, dtype=torch.float32).unsqueeze(-1), torch.tensor(values[LOOKBACK:], dtype=torch.float32)


class PriceGRU(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.fc(self.gru(x)[0][:, -1]).squeeze(1)


series = price_series()
cut = int(0.75 * len(series))
scaler = MinMaxScaler()
scaled = scaler.fit_transform(series.reshape(-1, 1)).ravel()
x_train, y_train = windows(scaled[:cut])
x_test, y_test = windows(scaled[cut - LOOKBACK:])

torch.manual_seed(0)
model = PriceGRU()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True)
for epoch in range(25):
    model.train()
    for xb, yb in loader:
        opt.zero_grad()
        loss = nn.functional.mse_loss(model(xb), yb)
        loss.backward()
        opt.step()
    if epoch % 8 == 0:
        print(epoch, f"{loss.item():.5f}")

model.eval()
with torch.no_grad():
    pred = scaler.inverse_transform(model(x_test).reshape(-1, 1).numpy()).ravel()
rmse = np.sqrt(np.mean((pred - series[cut:]) ** 2))
print(f"test rmse {rmse:.2f} (mean price {series[cut:].mean():.1f})")
