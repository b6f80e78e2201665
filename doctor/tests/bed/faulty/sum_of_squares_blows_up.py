# expect: exploding_sum_loss @ 29
# allowed: lr_too_high @ 27
# mend: 29 →         loss = F.mse_loss(model(x), t)
"""A regression with a summed squared error; the loss climbs step by step."""

import torch
import torch.nn.functional as F
from sklearn.datasets import make_regression
from torch import nn

torch.manual_seed(0)
X, y = make_regression(300, 8, n_informative=8, noise=5.0, random_state=0)
x = torch.tensor(X, dtype=torch.float32)
t = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 1)

    def forward(self, x):
        return self.linear(x).flatten()


def fit(model, steps=25, lr=0.01):
    opt = torch.optim.SGD(model.parameters(), lr=lr)
    for step in range(steps):
        loss = F.mse_loss(model(x), t, reduction="sum")
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 5 == 0:
            yield step, loss.item()


for step, value in fit(Regressor()):
    print(f"step {step:2d} loss {value:.4g}")
