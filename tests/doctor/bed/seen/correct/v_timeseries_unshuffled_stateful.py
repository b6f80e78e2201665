# expect: nothing
"""Temperature-like series: chronological split, scaled by the past, unshuffled with a carried LSTM state."""
import numpy as np
import torch
from torch import nn


def series(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    return 12 + 8 * np.sin(2 * np.pi * t / 48) + 2 * np.sin(2 * np.pi * t / 11) + rng.normal(0, 0.5, n)


class Forecaster(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x, state=None):
        h, state = self.lstm(x, state)
        return self.out(h), state


raw = series()
cut = 1600
mean, std = raw[:cut].mean(), raw[:cut].std()
z = torch.tensor((raw - mean) / std, dtype=torch.float32)
torch.manual_seed(0)
net = Forecaster()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
train = z[:cut]
lanes = train[:1600].view(8, 200)
for epoch in range(20):
    net.train()
    state = None
    for s in range(0, 199 - 20, 20):
        x, y = lanes[:, s:s + 20, None], lanes[:, s + 1:s + 21, None]
        pred, state = net(x, state)
        state = tuple(v.detach() for v in state)
        loss = nn.functional.mse_loss(pred, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    _, state = net(z[None, :cut - 1, None])
    pred, _ = net(z[None, cut - 1:-1, None], state)
    err = (pred[0, :, 0] - z[cut:]) * std
print(f"train loss {loss.item():.4f} test rmse {err.pow(2).mean().sqrt():.3f} naive {np.std(np.diff(raw[cut:])):.3f}")
