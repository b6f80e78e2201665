# expect: nothing
# looks suspicious: a hidden state is fed from cell call to cell call without any detach: each sequence
# starts anew from zeros, so the whole sequence is one graph on purpose.
import torch
from torch import nn

torch.manual_seed(0)


class Adder(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.cell = nn.LSTMCell(2, hidden)
        self.head = nn.Linear(hidden, 1)
        self.hidden = hidden

    def init_state(self, n):
        return torch.zeros(n, self.hidden), torch.zeros(n, self.hidden)

    def forward(self, x, state):
        for step in x.unbind(1):
            state = self.cell(step, state)
        return self.head(state[0]).squeeze(-1), state


def batch(n, length=10):
    values = torch.rand(n, length)
    marks = torch.zeros(n, length)
    marks[torch.arange(n), torch.randint(0, length // 2, (n,))] = 1
    marks[torch.arange(n), torch.randint(length // 2, length, (n,))] = 1
    return torch.stack([values, marks], -1), (values * marks).sum(1)


model = Adder()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for it in range(160):
    x, y = batch(64)
    state = model.init_state(64)
    pred, state = model(x, state)
    loss = nn.functional.mse_loss(pred, y)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if it % 40 == 0:
        print(it, f"{loss.item():.4f}")
with torch.no_grad():
    x, y = batch(300)
    print(
        "test mse",
        nn.functional.mse_loss(model(x, model.init_state(300))[0], y).item(),
        "variance",
        y.var().item(),
    )
