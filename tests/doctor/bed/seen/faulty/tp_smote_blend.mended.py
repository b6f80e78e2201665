# expect: nothing
"""Malignant or not, with few malignant cases; new ones are blended from neighbours (torch alone)."""
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn


def blend(rows: torch.Tensor, count: int, k: int, gen: torch.Generator) -> torch.Tensor:
    """Points on the lines between rows and one of their k nearest neighbours."""
    neighbours = torch.cdist(rows, rows).topk(k + 1, largest=False).indices[:, 1:]
    base = torch.randint(len(rows), (count,), generator=gen)
    other = neighbours[base, torch.randint(k, (count,), generator=gen)]
    gap = torch.rand(count, 1, generator=gen)
    return torch.lerp(rows[base], rows[other], gap)


def table(gen):
    x, y = load_breast_cancer(return_X_y=True)
    x, y = torch.tensor(x, dtype=torch.float32), 1 - torch.tensor(y)
    keep = (y == 0) | (torch.rand(len(y), generator=gen) < 0.3)
    return x[keep], y[keep]


def main():
    gen = torch.Generator().manual_seed(5)
    torch.manual_seed(5)
    x, y = table(gen)
    order = torch.randperm(len(x), generator=gen)
    cut = int(0.75 * len(x))
    x_train, y_train = x[order[:cut]], y[order[:cut]]
    x_test, y_test = x[order[cut:]], y[order[cut:]]
    extra = blend(x_train[y_train == 1], int((y_train == 0).sum() - (y_train == 1).sum()), 5, gen)
    x_train, y_train = torch.cat([x_train, extra]), torch.cat([y_train, torch.ones(len(extra), dtype=torch.long)])
    mean, std = x_train.mean(0), x_train.std(0)
    x_train, x_test = (x_train - mean) / std, (x_test - mean) / std
    model = nn.Sequential(nn.Linear(30, 24), nn.Tanh(), nn.Linear(24, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(20):
        model.train()
        for idx in torch.randperm(len(x_train), generator=gen).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x_train[idx]), y_train[idx]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        hit = model(x_test).argmax(1) == y_test
    print(f"recall {hit[y_test == 1].float().mean():.3f}  specificity {hit[y_test == 0].float().mean():.3f}")


if __name__ == "__main__":
    main()
