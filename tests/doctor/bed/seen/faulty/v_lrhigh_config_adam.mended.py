# expect: nothing
"""Fully convolutional digits classifier configured by a dictionary."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

CONFIG = {
    "seed": 1,
    "epochs": 8,
    "batch_size": 64,
    "channels": (8, 16),
    "lr": 3e-3,
    "weight_decay": 1e-5,
}


def build(channels):
    c1, c2 = channels
    return nn.Sequential(
        nn.Conv2d(1, c1, 3, padding=1), nn.ReLU(),
        nn.Conv2d(c1, c2, 3, padding=1, stride=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(c2 * 16, 10))


def data(seed):
    d = load_digits()
    imgs = torch.tensor(d.images / 8.0 - 1.0, dtype=torch.float32).unsqueeze(1)
    tr, te = train_test_split(torch.arange(len(imgs)).numpy(), test_size=0.25, random_state=seed)
    y = torch.tensor(d.target)
    return imgs[tr], y[tr], imgs[te], y[te]


def configure_optimizer(model, cfg):
    return torch.optim.Adam(model.parameters(), lr=cfg["lr"], weight_decay=cfg["weight_decay"])


def main(cfg):
    torch.manual_seed(cfg["seed"])
    x, y, xt, yt = data(cfg["seed"])
    model = build(cfg["channels"])
    opt = configure_optimizer(model, cfg)
    for epoch in range(cfg["epochs"]):
        model.train()
        losses = []
        for idx in torch.randperm(len(x)).split(cfg["batch_size"]):
            loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            acc = (model(xt).argmax(1) == yt).float().mean()
        print(f"epoch {epoch} loss {sum(losses) / len(losses):.3f} test acc {acc:.3f}")


if __name__ == "__main__":
    main(CONFIG)
