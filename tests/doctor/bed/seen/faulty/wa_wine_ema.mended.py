# expect: nothing
# cultivar identification from the chemical analysis of wines
from typing import NamedTuple

import torch
from sklearn.datasets import load_wine
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class Part(NamedTuple):
    x: Tensor
    y: Tensor

    def batches(self, size):
        for rows in torch.randperm(len(self.y)).split(size):
            yield self.x[rows], self.y[rows]


class Standardizer:
    def fit(self, x):
        self.mean, self.std = x.mean(dim=0), x.std(dim=0)
        return self

    def __call__(self, x):
        return (x - self.mean) / self.std


def split_wine(test_fraction=0.3):
    bunch = load_wine()
    x = torch.tensor(bunch.data, dtype=torch.float32)
    y = torch.tensor(bunch.target)
    n_test = round(len(y) * test_fraction)
    rows = torch.randperm(len(y))
    train, test = rows[:-n_test], rows[-n_test:]
    scale = Standardizer().fit(x[train])
    return Part(scale(x[train]), y[train]), Part(scale(x[test]), y[test])


def mlp(sizes):
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        if i:
            layers.append(nn.SiLU())
        layers.append(nn.Linear(a, b))
    return nn.Sequential(*layers)


def fit(net, part, epochs, lr):
    ema = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    opt = torch.optim.NAdam(net.parameters(), lr=lr)
    ce = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(1, epochs + 1):
        net.train()
        seen = total = 0
        for xb, yb in part.batches(16):
            opt.zero_grad()
            loss = ce(net(xb), yb)
            loss.backward()
            opt.step()
            ema.update_parameters(net)
            total += loss.item() * len(yb)
            seen += len(yb)
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d} loss {total / seen:.4f}")
    return ema


@torch.no_grad()
def report(net, part, n_classes=3):
    net.eval()
    guess = net(part.x).argmax(dim=1)
    table = torch.zeros(n_classes, n_classes, dtype=torch.long)
    table.index_put_((part.y, guess), torch.ones_like(guess), accumulate=True)
    print("confusion (rows: truth)")
    for row in table.tolist():
        print("   ", row)
    print(f"accuracy {table.diag().sum().item() / len(guess):.3f}")


if __name__ == "__main__":
    torch.manual_seed(30)
    train, test = split_wine()
    model = mlp([train.x.shape[1], 32, 3])
    smoothed = fit(model, train, epochs=20, lr=5e-3)
    report(smoothed, test)
