# expect: nothing
import math

import torch
from torch import nn


def make_series(n_series, length, gen):
    freq = 0.5 + torch.rand(n_series, 1, generator=gen)
    phase = 2 * math.pi * torch.rand(n_series, 1, generator=gen)
    t = torch.linspace(0, 6, length)
    return torch.sin(freq * t + phase).unsqueeze(-1)


class NextStep(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.rnn = nn.GRU(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        h, _ = self.rnn(x)
        return self.out(h)


torch.manual_seed(11)
gen = torch.Generator().manual_seed(11)
data = make_series(320, 41, gen)
train, test = data[:256], data[256:]

model = NextStep()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
loss_fn = nn.MSELoss()
batch_size = 32
loss_history = []

for epoch in range(12):
    model.train()
    perm = torch.randperm(len(train))
    for start in range(0, len(train), batch_size):
        seq = train[perm[start:start + batch_size]]
        pred = model(seq[:, :-1])
        loss = loss_fn(pred, seq[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_history.append(loss.item())
    recent = loss_history[-8:]
    if (epoch + 1) % 3 == 0:
        print(f"epoch {epoch + 1}: train loss {float(sum(recent)) / len(recent):.5f}")

model.eval()
with torch.no_grad():
    test_mse = loss_fn(model(test[:, :-1]), test[:, 1:]).item()
    naive = loss_fn(test[:, :-1], test[:, 1:]).item()
print(f"steps logged: {len(loss_history)}")
print(f"test mse {test_mse:.5f}  (repeat last value: {naive:.5f})")
