# expect: unscaled_inputs @ 43
# allowed: unscaled_inputs @ 50
# allowed: unscaled_inputs @ 82
"""Rent prediction with a heteroscedastic head (mean and log-variance), raw listing columns.

Columns: living area [m2], year built, distance to the centre [m], rooms, floor, income of the district [EUR].
"""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def simulate_listings(n, seed):
    g = torch.Generator().manual_seed(seed)
    rand = lambda lo, hi: lo + (hi - lo) * torch.rand(n, generator=g)
    area = rand(25, 140)
    year = rand(1900, 2022).round()
    dist = rand(200, 15000)
    rooms = (area / 28 + rand(0, 1.5)).round().clamp_min(1)
    floor = rand(0, 8).round()
    income = rand(22000, 68000)
    rent = 6.5 * area + 2.0 * (year - 1950) - 0.025 * dist + 0.006 * income + 12 * floor + 90
    rent = rent + (20 + 0.3 * area) * torch.randn(n, generator=g)
    return torch.stack([area, year, dist, rooms, floor, income], dim=1), rent


class Standardizer:
    """Column-wise mean/std of whatever it was fitted on."""

    def fit(self, t):
        self.mean, self.std = t.mean(0), t.std(0)
        return self

    def transform(self, t):
        return (t - self.mean) / self.std

    def inverse(self, t):
        return t * self.std + self.mean


class Listings(Dataset):
    def __init__(self, x, y, x_scaler, y_scaler):
        self.x = x
        self.y = y_scaler.transform(y)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class MeanVarianceNet(nn.Module):
    def __init__(self, n_in, width=48):
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Linear(n_in, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        self.mean = nn.Linear(width, 1)
        self.logvar = nn.Linear(width, 1)

    def forward(self, x):
        h = self.hidden(x)
        return self.mean(h).squeeze(1), self.logvar(h).squeeze(1).clamp(-5, 3)

    def training_step(self, batch):
        x, y = batch
        mu, logvar = self(x)
        return nn.functional.gaussian_nll_loss(mu, y, logvar.exp())


@torch.no_grad()
def predict(net, loader):
    net.eval()
    return torch.cat([net(x)[0] for x, _ in loader])


def main():
    torch.manual_seed(31)
    x, rent = simulate_listings(900, seed=31)
    x_tr, x_te, r_tr, r_te = x[:700], x[700:], rent[:700], rent[700:]
    xs, ys = Standardizer().fit(x_tr), Standardizer().fit(r_tr)
    train = DataLoader(Listings(x_tr, r_tr, xs, ys), batch_size=32, shuffle=True)
    test = DataLoader(Listings(x_te, r_te, xs, ys), batch_size=200)

    net = MeanVarianceNet(x.shape[1])
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(15):
        net.train()
        total = 0.0
        for batch in train:
            loss = net.training_step(batch)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}: nll {total / len(train):.4f}")

    pred = ys.inverse(predict(net, test))
    rmse = (pred - r_te).square().mean().sqrt().item()
    naive = (r_tr.mean() - r_te).square().mean().sqrt().item()
    print(f"test rmse {rmse:.1f} EUR (mean of the training rents: {naive:.1f} EUR)")


if __name__ == "__main__":
    main()
