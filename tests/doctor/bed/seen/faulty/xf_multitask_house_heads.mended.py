# expect: nothing
"""One trunk, three heads: predict price class, upkeep and sale chance of made-up houses."""
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(14)


@dataclass
class Column:
    name: str
    draw: callable
    mean: float = 0.0
    std: float = 1.0


@dataclass
class Table:
    columns: list = field(default_factory=lambda: [
        Column("plot_m2", lambda n: 300 + 4200 * torch.rand(n)),
        Column("rooms", lambda n: torch.randint(1, 9, (n,)).float()),
        Column("built", lambda n: torch.randint(1900, 2021, (n,)).float()),
        Column("noise_share", lambda n: torch.rand(n)),
        Column("tax_value", lambda n: 60_000 + 400_000 * torch.rand(n)),
    ])

    def sample(self, n):
        return torch.stack([c.draw(n) for c in self.columns], dim=1)

    def learn_ranges(self, x):
        for c, m, s in zip(self.columns, x.mean(0), x.std(0)):
            c.mean, c.std = m.item(), s.item()

    def encode(self, x):
        x = x.clone()
        for j, c in enumerate(self.columns):
            x[:, j] = (x[:, j] - c.mean) / c.std
        return x


def answers(x):
    u = (x - torch.tensor([2400, 4.5, 1960, 0.5, 260_000.0])) / torch.tensor([1200, 2.3, 35, 0.29, 115_000.0])
    value = u[:, 0] * 0.7 + u[:, 1] - 0.8 * u[:, 3] + 0.6 * u[:, 4]
    upkeep = torch.tanh(u[:, 0]) - 0.9 * u[:, 2] + 0.1 * torch.randn(len(x))
    sold = (torch.rand(len(x)) < torch.sigmoid(3 * (u[:, 1] * u[:, 3] + u[:, 2]))).float()
    return (value > 0).long(), upkeep, sold


class ThreeHeads(nn.Module):
    def __init__(self, n_in, width=32):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(n_in, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.heads = nn.ModuleDict({"cls": nn.Linear(width, 2), "reg": nn.Linear(width, 1),
                                    "bin": nn.Linear(width, 1)})

    def forward(self, x):
        h = self.trunk(x)
        return self.heads["cls"](h), self.heads["reg"](h).squeeze(1), self.heads["bin"](h).squeeze(1)


def total_loss(out, target):
    return (F.cross_entropy(out[0], target[0]) + F.mse_loss(out[1], target[1])
            + F.binary_cross_entropy_with_logits(out[2], target[2]))


table = Table()
x_train, x_test = table.sample(1600), table.sample(800)
y_train, y_test = answers(x_train), answers(x_test)
table.learn_ranges(x_train)
x_train, x_test = table.encode(x_train), table.encode(x_test)

net = torch.compile(ThreeHeads(x_train.shape[1]), backend="eager")
opt = torch.optim.Adam(net.parameters(), lr=4e-3)
for epoch in range(25):
    acc = 0.0
    for idx in torch.randperm(1600).split(100):
        loss = total_loss(net(x_train[idx]), [t[idx] for t in y_train])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        acc += loss.item() / 16
    if epoch % 6 == 0:
        print(f"epoch {epoch:2d} loss {acc:.3f}")

with torch.no_grad():
    cls, reg, logit = net(x_test)
print(f"price class accuracy {(cls.argmax(1) == y_test[0]).float().mean():.3f}")
print(f"upkeep R2 {1 - F.mse_loss(reg, y_test[1]) / y_test[1].var():.3f}")
print(f"sold accuracy {((logit > 0).float() == y_test[2]).float().mean():.3f}")
