# expect: target_broadcast @ 25
# allowed: target_broadcast @ 34
# mend: 25 →         return self.linear(out[:, -1])
"""One-step forecast of a sine wave by an LSTM, windows in time order."""

import torch
from torch import nn

torch.manual_seed(0)
t = torch.arange(0, 60, 0.25)
wave = torch.sin(t) + 0.05 * torch.randn(len(t))
window = 10
x = wave.unfold(0, window, 1)[:-1].unsqueeze(-1)
y = wave[window:].unsqueeze(-1)


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 16, batch_first=True)
        self.linear = nn.Linear(16, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.linear(out[:, -1]).squeeze(-1)


model = Forecaster()
loss_fn = nn.L1Loss()
opt = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(6):
    for start in range(0, len(x), 46):
        opt.zero_grad()
        loss = loss_fn(model(x[start : start + 46]), y[start : start + 46])
        loss.backward()
        opt.step()
    print(f"epoch {epoch} mae {loss.item():.4f}")
