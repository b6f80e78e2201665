# expect: exploding_sum_loss @ 54
# allowed: exploding_sum_loss @ 55
"""Quantile regression on the diabetes data: one net, three quantiles, pinball loss, coverage on the test rows."""
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

QUANTILES = (0.1, 0.5, 0.9)


class PinballLoss(nn.Module):
    def __init__(self, quantiles, reduction="mean"):
        super().__init__()
        self.register_buffer("q", torch.tensor(quantiles))
        self.reduction = reduction

    def forward(self, pred, target):
        gap = target.unsqueeze(1) - pred
        loss = torch.maximum(self.q * gap, (self.q - 1) * gap)
        return getattr(loss, self.reduction)()


class QuantileNet(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(n_in, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(16, 1) for _ in range(n_out))

    def forward(self, x):
        h = self.trunk(x)
        return torch.cat([head(h) for head in self.heads], dim=1)


def prepare(seed):
    x, y = load_diabetes(return_X_y=True)
    xa, xb, ya, yb = train_test_split(x, y, test_size=0.25, random_state=seed)
    sx, sy = StandardScaler().fit(xa), StandardScaler().fit(ya[:, None])
    as_tensor = lambda a: torch.tensor(a, dtype=torch.float32)
    return (
        TensorDataset(as_tensor(sx.transform(xa)), as_tensor(sy.transform(ya[:, None])[:, 0])),
        as_tensor(sx.transform(xb)),
        as_tensor(sy.transform(yb[:, None])[:, 0]),
    )


def main():
    torch.manual_seed(6)
    train_set, x_test, y_test = prepare(seed=6)
    loader = DataLoader(train_set, batch_size=64, shuffle=True, drop_last=True)
    net = QuantileNet(10, len(QUANTILES))
    criterion = PinballLoss(QUANTILES, reduction="sum")
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[40, 52], gamma=0.3)
    for epoch in range(60):
        net.train()
        total = 0.0
        for x, y in loader:
            loss = criterion(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        scheduler.step()
        if epoch % 20 == 19:
            print(f"epoch {epoch + 1}  pinball {total / len(loader):.4f}")

    net.eval()
    with torch.no_grad():
        pred = net(x_test)
        pinball = PinballLoss(QUANTILES)(pred, y_test).item()
        inside = ((y_test >= pred[:, 0]) & (y_test <= pred[:, 2])).float().mean().item()
    print(f"test pinball {pinball:.4f}  share inside the 80% band {inside:.3f}")


if __name__ == "__main__":
    main()
