# expect: nothing
"""Forecasting with a chronological split and unshuffled windows carrying the GRU state onward."""
import numpy as np
import pandas as pd
import torch
from torch import nn

rng = np.random.default_rng(3)
days = pd.date_range("2018-01-01", periods=1600, freq="D")
value = 20 + 6 * np.sin(2 * np.pi * np.arange(1600) / 30) + 2 * (days.day_of_week >= 5) + rng.normal(0, 0.5, 1600)
series = pd.Series(np.asarray(value), index=days)
train, test = series[: int(0.8 * 1600)], series[int(0.8 * 1600) :]
mean, std = train.mean(), train.std()
scale = lambda s: torch.tensor(((s - mean) / std).to_numpy(), dtype=torch.float32)
train_t, test_t = scale(train), scale(test)


class Forecaster(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x, h=None):
        y, h = self.gru(x.unsqueeze(-1), h)
        return self.out(y).squeeze(-1), h


torch.manual_seed(0)
lanes = train_t.view(8, 160)
model = Forecaster()
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(30):
    model.train()
    h, total = None, 0.0
    for i in range(0, 159 - 20, 20):
        if h is not None:
            h = h.detach()
        pred, h = model(lanes[:, i : i + 20], h)
        loss = nn.functional.mse_loss(pred, lanes[:, i + 1 : i + 21])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch % 10 == 9:
        print(f"epoch {epoch} loss {total / 7:.4f}")
model.eval()
with torch.inference_mode():
    pred, _ = model(test_t[:-1].unsqueeze(0))
    mae = (pred[0, 20:] - test_t[21:]).abs().mean().item() * std
naive = test.diff().abs().mean()
print(f"test MAE {mae:.3f} naive {naive:.3f}")
