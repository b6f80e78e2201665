# expect: lr_too_high @ 9
# allowed: lr_too_high @ 24
# mend: 9 → CONFIG = {"hidden": 24, "lr": 0.005, "steps": 60, "batch": 32}
"""The rate comes from a config dictionary; an LSTM jumps about."""

import torch
from torch import nn

CONFIG = {"hidden": 24, "lr": 3.0, "steps": 60, "batch": 32}
torch.manual_seed(0)


class Parity(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.rnn = nn.LSTM(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 2)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


model = Parity(CONFIG["hidden"])
optimizer = torch.optim.RMSprop(model.parameters(), lr=CONFIG["lr"])
criterion = nn.CrossEntropyLoss()
for step in range(CONFIG["steps"]):
    x = torch.rand(CONFIG["batch"], 8, 1)
    y = (x.mean(dim=(1, 2)) > 0.5).long()
    loss = criterion(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(step, loss.item())
