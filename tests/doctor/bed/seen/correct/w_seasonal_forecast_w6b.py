# expect: nothing
"""Daily demand a week ahead: an encoder GRU over five weeks and quantile heads, on a chronological split."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

PAST, AHEAD = 35, 7
QUANTILES = (0.1, 0.5, 0.9)


def demand(days=1100, seed=3):
    rng = np.random.default_rng(seed)
    d = np.arange(days)
    week = np.array([0.0, 0.3, 0.4, 0.5, 1.2, 2.0, 1.5])[d % 7]
    noise = np.zeros(days)
    for i in range(1, days):
        noise[i] = 0.7 * noise[i - 1] + rng.normal(0, 0.25)
    return (40 + 10 * week + 6 * np.sin(2 * np.pi * d / 91.0) + 5 * noise).astype(np.float32)


class Windows(Dataset):
    def __init__(self, series, first, last, mean, std):
        self.series = torch.from_numpy((series - mean) / std)
        self.weekday = torch.arange(len(series)) % 7
        self.starts = range(first, last - PAST - AHEAD + 1)

    def __len__(self):
        return len(self.starts)

    def __getitem__(self, i):
        a = self.starts[i]
        b = a + PAST
        past = self.series[a:b].unsqueeze(1)
        days = nn.functional.one_hot(self.weekday[a:b], 7).float()
        return torch.cat([past, days], dim=1), self.series[b:b + AHEAD]


class Forecaster(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.gru = nn.GRU(8, width, batch_first=True)
        self.head = nn.Linear(width, AHEAD * len(QUANTILES))

    def forward(self, x):
        _, last = self.gru(x)
        return self.head(last[-1]).view(-1, AHEAD, len(QUANTILES))


def pinball(pred, true):
    q = torch.tensor(QUANTILES)
    gap = true.unsqueeze(-1) - pred
    return torch.maximum(q * gap, (q - 1) * gap).mean()


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    pred, true = zip(*[(model(x), y) for x, y in loader])
    pred, true = torch.cat(pred), torch.cat(true)
    inside = ((true >= pred[..., 0]) & (true <= pred[..., 2])).float().mean().item()
    return pinball(pred, true).item(), (pred[..., 1] - true).abs().mean().item(), inside


def main():
    torch.manual_seed(3)
    series = demand()
    train_end, valid_end = 760, 920
    mean, std = series[:train_end].mean(), series[:train_end].std()
    train = Windows(series, 0, train_end, mean, std)
    valid = Windows(series, train_end, valid_end, mean, std)
    test = Windows(series, valid_end, len(series), mean, std)
    model = Forecaster()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
    valid_loader = DataLoader(valid, batch_size=256)
    best, kept = float("inf"), None
    for epoch in range(15):
        model.train()
        for x, y in DataLoader(train, batch_size=32, shuffle=True):
            optimizer.zero_grad()
            loss = pinball(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        value, _, _ = evaluate(model, valid_loader)
        plateau.step(value)
        if value < best:
            best, kept = value, {k: v.clone() for k, v in model.state_dict().items()}
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}  validation pinball {value:.4f}")
    model.load_state_dict(kept)
    loss, error, inside = evaluate(model, DataLoader(test, batch_size=256))
    print(f"test: pinball {loss:.4f}, mean error {error * std:.2f} pieces, {inside:.2f} within the band")


if __name__ == "__main__":
    main()
