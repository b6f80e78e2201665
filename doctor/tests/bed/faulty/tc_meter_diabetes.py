# expect: graph_kept_alive @ 74
# mend: 74 →             meter.update(loss.item(), len(x))
"""Diabetes progression with a residual MLP. A moving-average meter follows the training loss for the progress line."""
import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class AverageMeter:
    """Running mean over everything seen and an exponential one for the progress line."""

    def __init__(self, momentum=0.95):
        self.momentum = momentum
        self.sum, self.count, self.smooth = 0.0, 0, None

    def update(self, value, n=1):
        self.sum = self.sum + value * n
        self.count += n
        self.smooth = value if self.smooth is None else self.momentum * self.smooth + (1 - self.momentum) * value

    @property
    def mean(self):
        return self.sum / self.count


class Residual(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.body = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))

    def forward(self, x):
        return x + 0.5 * self.body(x)


class Regressor(nn.Module):
    def __init__(self, n_in, dim=32, depth=2):
        super().__init__()
        self.stem = nn.Linear(n_in, dim)
        self.blocks = nn.Sequential(*(Residual(dim) for _ in range(depth)))
        self.out = nn.Linear(dim, 1)

    def forward(self, x):
        return self.out(self.blocks(self.stem(x))).squeeze(-1)


def load(seed=27):
    x, y = load_diabetes(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(y))
    train, test = rows[:330], rows[330:]
    x = (x - x[train].mean(0)) / x[train].std(0)
    centre, spread = y[train].mean(), y[train].std()
    y = (y - centre) / spread
    tensors = [torch.tensor(a, dtype=torch.float32) for a in (x[train], y[train], x[test], y[test])]
    return tensors, spread


def main():
    torch.manual_seed(27)
    (x_train, y_train, x_test, y_test), spread = load()
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=33, shuffle=True)
    model = Regressor(x_train.shape[1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    epochs = 15
    meter = AverageMeter()
    for epoch in range(1, epochs + 1):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.huber_loss(model(x), y)
            loss.backward()
            optimizer.step()
            meter.update(loss, len(x))
        if epoch % 3 == 0:
            print(f"epoch {epoch:2d}: loss {float(meter.smooth):.4f} (since the start {float(meter.mean):.4f})")
    model.eval()
    with torch.no_grad():
        residual = (model(x_test) - y_test) * spread
    print(f"test RMSE {residual.pow(2).mean().sqrt():.1f}, spread of the target {spread:.1f}")


if __name__ == "__main__":
    main()
