# expect: vanishing_gradient @ 47
# allowed: vanishing_gradient @ 41
# allowed: vanishing_gradient @ 43
"""A 12-block residual MLP on digits, configured through a dataclass and built by a small registry."""
from dataclasses import dataclass, field

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

REGISTRY = {}


def register(cls):
    REGISTRY[cls.__name__] = cls
    return cls


@dataclass
class ModelConfig:
    name: str = "ResMLP"
    width: int = 64
    depth: int = 12
    classes: int = 10


@dataclass
class Experiment:
    model: ModelConfig = field(default_factory=ModelConfig)
    lr: float = 1e-3
    batch: int = 64
    epochs: int = 10
    seed: int = 4


class ResidualBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, width),
        )

    def forward(self, x):
        return self.body(x)


@register
class ResMLP(nn.Module):
    def __init__(self, n_in, c):
        super().__init__()
        self.stem = nn.Linear(n_in, c.width)
        self.blocks = nn.Sequential(*[ResidualBlock(c.width) for _ in range(c.depth)])
        self.head = nn.Sequential(nn.LayerNorm(c.width), nn.Linear(c.width, c.classes))

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)))


def data(seed):
    d = load_digits()
    x = torch.tensor(d.data / 8.0 - 1.0, dtype=torch.float32)
    y = torch.tensor(d.target)
    train, test = train_test_split(range(len(y)), test_size=0.25, stratify=d.target, random_state=seed)
    return x[train], y[train], x[test], y[test]


def run(exp):
    torch.manual_seed(exp.seed)
    x_train, y_train, x_test, y_test = data(exp.seed)
    model = REGISTRY[exp.model.name](x_train.shape[1], exp.model)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=exp.lr)
    for epoch in range(exp.epochs):
        model.train()
        losses = []
        for rows in torch.randperm(len(x_train)).split(exp.batch):
            optimizer.zero_grad()
            loss = criterion(model(x_train[rows]), y_train[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 3 == 0:
            print(f"epoch {epoch}: loss {sum(losses) / len(losses):.4f}")
    model.eval()
    with torch.no_grad():
        accuracy = (model(x_test).argmax(dim=1) == y_test).float().mean().item()
    print(f"test accuracy {accuracy:.3f}")


run(Experiment())
