# expect: nothing
"""Stateful LSTM over a temperature series read in order, hidden state carried and detached between chunks."""
import numpy as np
import torch
import torch.nn as nn

np.random.seed(1)
torch.manual_seed(1)
t = np.arange(2400)
temp = 15 + 8 * np.sin(2 * np.pi * t / 48) + np.random.normal(0, 0.6, len(t))
split = 1920
temp = (temp - temp[:split].mean()) / temp[:split].std()
series = torch.tensor(temp, dtype=torch.float32)


def chunks(s, n_streams=4, length=24):
    """Split into parallel streams and walk along them in time order."""
    s = s[: len(s) // n_streams * n_streams].view(n_streams, -1)
    for i in range(0, s.size(1) - 1, length):
        n = min(length, s.size(1) - 1 - i)
        yield s[:, i:i + n, None], s[:, i + 1:i + 1 + n, None]


class Forecaster(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x, state=None):
        h, state = self.lstm(x, state)
        return self.out(h), state


model = Forecaster()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
mse = nn.MSELoss()
for epoch in range(15):
    model.train()
    state, total, k = None, 0.0, 0
    for x, y in chunks(series[:split]):
        opt.zero_grad()
        pred, state = model(x, state)
        state = tuple(s.detach() for s in state)
        loss = mse(pred, y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        total, k = total + loss.item(), k + 1
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} train mse {total / k:.4f}")

model.eval()
state, errs = None, []
with torch.no_grad():
    for x, y in chunks(series[split:], n_streams=1):
        pred, state = model(x, state)
        errs.append((pred - y).pow(2).mean().item())
print(f"test mse {np.mean(errs):.4f}")
