# expect: nothing
"""LSTM over one long series, hidden state carried and cut at each chunk."""

import torch
from torch import nn

torch.manual_seed(1)
t = torch.arange(1200.0)
series = torch.sin(t / 9) + 0.5 * torch.sin(t / 23) + 0.05 * torch.randn(1200)
train, test = series[:1000], series[1000:]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 20, batch_first=True)
        self.linear = nn.Linear(20, 1)

    def forward(self, x, state=None):
        h, state = self.lstm(x, state)
        return self.linear(h), state


model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = nn.MSELoss()
for epoch in range(5):
    state = None
    total = 0.0
    for i in range(0, 990, 30):
        x = train[i : i + 30].view(1, -1, 1)
        y = train[i + 1 : i + 31].view(1, -1, 1)
        x = x[:, : y.shape[1]]
        out, state = model(x, state)
        state = tuple(s.detach() for s in state)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch} {total / 33:.4f}")

with torch.no_grad():
    out, _ = model(test[:-1].view(1, -1, 1))
    print("test", criterion(out, test[1:].view(1, -1, 1)).item())
