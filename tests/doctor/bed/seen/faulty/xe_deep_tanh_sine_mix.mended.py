# expect: nothing
"""Deep tanh stack for a two-frequency classification task; everything comes from CONFIG."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CONFIG = {
    "seed": 29,
    "net": {"width": 48, "depth": 8},
    "init": {"kind": "xavier", "gain": 1.2},
    "optim": {"lr": 0.02, "momentum": 0.9},
    "train": {"epochs": 12, "batch": 50},
}

INITIALISERS = {
    "normal": lambda w, std: nn.init.normal_(w, 0.0, std),
    "xavier": lambda w, gain: nn.init.xavier_normal_(w, gain=gain),
    "orthogonal": lambda w, gain: nn.init.orthogonal_(w, gain=gain),
}


def waves(n, steps, rng):
    label = np.arange(n) % 3
    rng.shuffle(label)
    t = np.linspace(0, 1, steps)
    freq = np.choose(label, [2.0, 3.0, 4.0])[:, None] + rng.uniform(-0.25, 0.25, (n, 1))
    phase = rng.uniform(0, np.pi, (n, 1))
    x = np.sin(2 * np.pi * freq * t + phase) + 0.7 * rng.normal(size=(n, steps))
    return torch.tensor(x, dtype=torch.float32), torch.tensor(label, dtype=torch.long)


def build(steps, classes, width, depth):
    dims = [steps] + [width] * depth
    body = []
    for a, b in zip(dims, dims[1:]):
        body += [nn.Linear(a, b), nn.Tanh()]
    return nn.Sequential(*body, nn.Linear(width, classes))


def initialise(net, kind, **options):
    for m in net.modules():
        if isinstance(m, nn.Linear):
            INITIALISERS[kind](m.weight, **options)
            nn.init.zeros_(m.bias)


def run_epoch(net, loader, loss_fn, opt):
    net.train()
    total = 0.0
    for x, y in loader:
        opt.zero_grad()
        loss = loss_fn(net(x), y)
        loss.backward()
        opt.step()
        total += loss.item() * len(x)
    return total / len(loader.dataset)


def accuracy(net, x, y):
    net.eval()
    with torch.inference_mode():
        return (net(x).argmax(1) == y).float().mean().item()


def main(cfg):
    torch.manual_seed(cfg["seed"])
    rng = np.random.default_rng(cfg["seed"])
    x_train, y_train = waves(1500, 32, rng)
    x_test, y_test = waves(600, 32, rng)
    net = build(32, 3, **cfg["net"])
    initialise(net, **cfg["init"])
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=cfg["train"]["batch"], shuffle=True)
    opt = torch.optim.SGD(net.parameters(), **cfg["optim"])
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(cfg["train"]["epochs"]):
        loss = run_epoch(net, loader, loss_fn, opt)
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}  loss {loss:.4f}")
    print(f"train acc {accuracy(net, x_train, y_train):.3f}  test acc {accuracy(net, x_test, y_test):.3f}")


main(CONFIG)
