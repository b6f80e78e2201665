# expect: nothing
"""Predict the continuation of sine waves, trained full batch with LBFGS."""
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim

np.random.seed(2)
torch.manual_seed(2)
N, L, T = 24, 60, 8
x = np.arange(L)[None, :] + np.random.uniform(-4 * T, 4 * T, (N, 1))
periods = T * np.random.uniform(0.7, 1.4, (N, 1))
waves = torch.from_numpy(np.sin(x / periods) + 0.02 * np.random.randn(N, L))


class Sequence(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.hidden = hidden
        self.cell = nn.LSTMCell(1, hidden)
        self.linear = nn.Linear(hidden, 1)

    def forward(self, inputs, future=0):
        h = torch.zeros(inputs.size(0), self.hidden, dtype=inputs.dtype)
        c = torch.zeros_like(h)
        outputs = []
        for step in inputs.split(1, dim=1):
            h, c = self.cell(step, (h, c))
            out = self.linear(h)
            outputs.append(out)
        for _ in range(future):
            h, c = self.cell(out, (h, c))
            out = self.linear(h)
            outputs.append(out)
        return torch.cat(outputs, dim=1)


inp, target = waves[4:, :-1], waves[4:, 1:]
test_inp, test_target = waves[:4, :-1], waves[:4, 1:]
seq = Sequence().double()
criterion = nn.MSELoss()
optimizer = optim.LBFGS(seq.parameters(), lr=0.8, max_iter=12)


def closure():
    optimizer.zero_grad()
    loss = criterion(seq(inp), target)
    loss.backward()
    return loss


for i in range(4):
    loss = optimizer.step(closure)
    print(f"STEP {i}: loss before step {loss.item():.6f}")

with torch.no_grad():
    future = 10
    pred = seq(test_inp, future=future)
    test_loss = criterion(pred[:, :-future], test_target)
    print(f"test loss: {test_loss.item():.6f}")
