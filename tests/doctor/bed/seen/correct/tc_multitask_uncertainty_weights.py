# expect: nothing
"""Two tasks from one made-up machine table (failure yes/no, hours until service); learned task weights with an optimizer of their own."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


@dataclass(frozen=True)
class Settings:
    rows: int = 3000
    width: int = 48
    lr: float = 2e-3
    balance_lr: float = 1e-2
    epochs: int = 14
    seed: int = 63


def machine_table(cfg):
    rng = np.random.default_rng(cfg.seed)
    x = rng.normal(size=(cfg.rows, 7))
    wear = np.tanh(x[:, 0] + 0.5 * x[:, 1] * x[:, 2])
    hours = 400 - 150 * wear + 40 * x[:, 3] + 20 * rng.normal(size=cfg.rows)
    failure = (wear + 0.3 * x[:, 4] + 0.3 * rng.normal(size=cfg.rows) > 0.35).astype(np.float32)
    as_tensor = lambda a: torch.tensor(a, dtype=torch.float32)
    return TensorDataset(as_tensor(x), as_tensor(failure).unsqueeze(1), as_tensor(hours).unsqueeze(1))


class TwoHeads(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(7, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.failure = nn.Linear(width, 1)
        self.hours = nn.Linear(width, 1)
        self.register_buffer("centre", torch.zeros(1))
        self.register_buffer("scale", torch.ones(1))

    def calibrate(self, hours):
        self.centre.copy_(hours.mean())
        self.scale.copy_(hours.std())

    def forward(self, x):
        h = self.shared(x)
        return self.failure(h), self.hours(h)

    def predict(self, x):
        failure, hours = self(x)
        return torch.sigmoid(failure), hours * self.scale + self.centre


class UncertaintyWeights(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.log_var = nn.Parameter(torch.zeros(n))

    def forward(self, losses):
        losses = torch.stack(losses)
        return (torch.exp(-self.log_var) * losses + 0.5 * self.log_var).sum()


def main(cfg):
    torch.manual_seed(cfg.seed)
    train, test = random_split(machine_table(cfg), [0.75, 0.25])
    net, balance = TwoHeads(cfg.width), UncertaintyWeights(2)
    net.calibrate(torch.stack([hours for _, _, hours in train]))
    optimizers = [torch.optim.AdamW(net.parameters(), lr=cfg.lr), torch.optim.SGD(balance.parameters(), lr=cfg.balance_lr)]
    for epoch in range(cfg.epochs):
        net.train()
        for x, failure, hours in DataLoader(train, batch_size=50, shuffle=True):
            logit, scaled = net(x)
            losses = [
                nn.functional.binary_cross_entropy_with_logits(logit, failure),
                nn.functional.mse_loss(scaled, (hours - net.centre) / net.scale),
            ]
            for optimizer in optimizers:
                optimizer.zero_grad()
            balance(losses).backward()
            for optimizer in optimizers:
                optimizer.step()
        if epoch % 4 == 1:
            print(f"epoch {epoch + 1}: weights {[round(v, 3) for v in torch.exp(-balance.log_var).tolist()]}")
    net.eval()
    with torch.no_grad():
        x, failure, hours = next(iter(DataLoader(test, batch_size=len(test))))
        chance, until = net.predict(x)
    print(f"failure accuracy {((chance > 0.5) == (failure > 0.5)).float().mean():.3f} (share of failures {failure.mean():.3f})")
    print(f"hours off by {(until - hours).abs().mean():.1f}, spread {hours.std():.1f}")


main(Settings())
