# expect: nothing
"""Rating predictor for a board-game shop, driven by a nested config as the experiment tracker wants it."""
import torch
from torch import nn

CONFIG = {
    "seed": 12,
    "data": {"rows": 2400, "test": 400, "features": 14},
    "model": {"widths": [64, 32]},
    "optim": {"lr": 3e-3, "betas": (0.9, 0.99)},
    "train": {"epochs": 15, "batch": 64},
}


def make_ratings(rows, features, test):
    x = torch.randn(rows, features)
    y = x[:, 0] * x[:, 1] + torch.sin(2 * x[:, 2]) + 0.5 * x[:, 3:6].sum(1) + 0.1 * torch.randn(rows)
    y = (y - y[test:].mean()) / y[test:].std()
    return (x[test:], y[test:]), (x[:test], y[:test])


def mlp(n_in, widths):
    layers = []
    for w in widths:
        layers += [nn.Linear(n_in, w), nn.ReLU()]
        n_in = w
    return nn.Sequential(*layers, nn.Linear(n_in, 1), nn.Flatten(0))


def fit(model, rows, optim, train):
    x, y = rows
    opt = torch.optim.Adam(model.parameters(), **optim)
    loss_fn = nn.MSELoss()
    for epoch in range(train["epochs"]):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(train["batch"]):
            loss = loss_fn(model(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: mse {total / len(x):.4f}")


@torch.no_grad()
def r2(model, rows):
    model.eval()
    x, y = rows
    return (1 - (model(x) - y).square().sum() / (y - y.mean()).square().sum()).item()


if __name__ == "__main__":
    torch.manual_seed(CONFIG["seed"])
    train_rows, test_rows = make_ratings(**CONFIG["data"])
    model = mlp(CONFIG["data"]["features"], **CONFIG["model"])
    fit(model, train_rows, CONFIG["optim"], CONFIG["train"])
    print(f"test r2 {r2(model, test_rows):.3f}")
