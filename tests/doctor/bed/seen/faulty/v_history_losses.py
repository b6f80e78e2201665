# expect: graph_kept_alive @ 18
# allowed: graph_kept_alive @ 61
"""GRU forecaster that keeps its loss history in a recorder for a later plot."""
import math

import torch
import torch.nn as nn

torch.manual_seed(27)


class Recorder:
    def __init__(self):
        self.losses = []
        self.epochs = []

    def add(self, loss):
        self.losses.append(loss)

    def close_epoch(self, n):
        last = self.losses[-n:]
        self.epochs.append(float(sum(last)) / n)
        return self.epochs[-1]


class Forecaster(nn.Module):
    def __init__(self, hidden=20):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.lin = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.lin(out[:, -1]).squeeze(-1)


def series(n):
    t = torch.arange(n) * 0.2
    return torch.sin(t) + 0.5 * torch.sin(t / math.e) + 0.05 * torch.randn(n)


def to_windows(s, width=16):
    w = s.unfold(0, width + 1, 1)
    return w[:, :-1].unsqueeze(-1), w[:, -1]


s = series(900)
x_train, y_train = to_windows(s[:700])
x_test, y_test = to_windows(s[700:])
model = Forecaster()
opt = torch.optim.Adam(model.parameters(), lr=8e-3)
rec = Recorder()
for epoch in range(10):
    model.train()
    chunks = torch.randperm(len(x_train)).split(60)
    for idx in chunks:
        loss = nn.functional.mse_loss(model(x_train[idx]), y_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        rec.add(loss)
    mean = rec.close_epoch(len(chunks))
    if epoch % 3 == 0:
        print(f"epoch {epoch} mse {mean:.4f}")

model.eval()
with torch.no_grad():
    print("test mse", nn.functional.mse_loss(model(x_test), y_test).item())
print("recorded", len(rec.losses), "losses, best", float(min(rec.losses)))
