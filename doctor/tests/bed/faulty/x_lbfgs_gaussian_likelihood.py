# expect: target_broadcast @ 27
# allowed: target_broadcast @ 37
# mend: 27 →     return 0.5 * (log_var + (y[:, None] - mean) ** 2 / log_var.exp()).mean()
"""Mean and spread of a response as functions of x, fitted by LBFGS on the Gaussian likelihood."""

import torch
from torch import nn

torch.manual_seed(10)
x = torch.rand(200, 1) * 4 - 2
y = torch.sin(2 * x[:, 0]) + (0.1 + 0.2 * x[:, 0].abs()) * torch.randn(200)


class Heteroscedastic(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.hidden = nn.Linear(1, width)
        self.mean = nn.Linear(width, 1)
        self.log_var = nn.Linear(width, 1)

    def forward(self, x):
        h = torch.tanh(self.hidden(x))
        return self.mean(h), self.log_var(h)


def negative_log_likelihood(mean, log_var, y):
    return 0.5 * (log_var + (y - mean) ** 2 / log_var.exp()).mean()


model = Heteroscedastic()
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=10, line_search_fn="strong_wolfe")


def closure():
    optimizer.zero_grad()
    mean, log_var = model(x)
    loss = negative_log_likelihood(mean, log_var, y)
    loss.backward()
    return loss


for outer in range(6):
    loss = optimizer.step(closure)
    print(f"outer {outer} negative log-likelihood {loss.item():.4f}")
with torch.no_grad():
    print("rmse of the mean:", (model(x)[0][:, 0] - torch.sin(2 * x[:, 0])).pow(2).mean().sqrt().item())
