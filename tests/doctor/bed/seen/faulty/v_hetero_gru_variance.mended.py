# expect: nothing
"""Probabilistic forecasting: a GRU outputs mean and variance of the next value of a noisy wave."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F


def waves(n, length=25, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(length)
    amp, freq, ph = rng.uniform(0.5, 1.5, (n, 1)), rng.uniform(0.3, 0.7, (n, 1)), rng.uniform(0, 6, (n, 1))
    y = amp * np.sin(freq * t + ph) + rng.normal(0, 0.1, (n, length))
    y = torch.tensor(y, dtype=torch.float32)
    return y[:, :-1].unsqueeze(-1), y[:, -1]


class ProbGRU(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.rnn = nn.GRU(1, hidden, batch_first=True)
        self.mu = nn.Linear(hidden, 1)
        self.sigma2 = nn.Linear(hidden, 1)

    def forward(self, x):
        h = self.rnn(x)[0][:, -1]
        return self.mu(h).squeeze(-1), F.softplus(self.sigma2(h)).squeeze(-1) + 1e-3


def gaussian_nll(mu, var, y):
    return 0.5 * (var.log() + (y - mu) ** 2 / var).mean()


torch.manual_seed(2)
x_train, y_train = waves(800, seed=1)
x_test, y_test = waves(200, seed=2)
model = ProbGRU()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(10):
    model.train()
    losses = []
    for idx in torch.randperm(len(x_train)).split(50):
        mu, var = model(x_train[idx])
        loss = gaussian_nll(mu, var, y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        losses.append(loss.item())
    print(f"epoch {epoch} nll {np.mean(losses):.4f}")

model.eval()
with torch.inference_mode():
    mu, var = model(x_test)
    print(f"test rmse {((mu - y_test) ** 2).mean().sqrt():.4f} mean sd {var.sqrt().mean():.4f}")
