# expect: nothing
"""Learning to rank: pages for made-up queries, pairs weighed by their effect on the gain (LambdaRank), NDCG at five."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Queries(Dataset):
    """Each row is a query with its own number of pages, their features and grades from 0 to 3."""

    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.rows = []
        for _ in range(n):
            pages = int(rng.integers(8, 21))
            x = rng.normal(size=(pages, 8))
            worth = 1.2 * x[:, 0] + np.tanh(2 * x[:, 1]) - 0.8 * np.abs(x[:, 2]) + 0.6 * x[:, 3] * x[:, 4]
            worth = worth + rng.normal(0, 0.3, pages) + rng.normal()
            cuts = np.quantile(worth, [0.5, 0.75, 0.9])
            grade = np.digitize(worth, cuts)
            self.rows.append((torch.tensor(x, dtype=torch.float32), torch.tensor(grade, dtype=torch.float32)))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


def pad(batch):
    longest = max(len(grade) for _, grade in batch)
    x = torch.zeros(len(batch), longest, batch[0][0].size(1))
    grade = torch.zeros(len(batch), longest)
    real = torch.zeros(len(batch), longest, dtype=torch.bool)
    for i, (pages, marks) in enumerate(batch):
        x[i, :len(marks)], grade[i, :len(marks)], real[i, :len(marks)] = pages, marks, True
    return x, grade, real


def discount(rank):
    return 1.0 / torch.log2(rank.float() + 2.0)


def best_gain(grade, real, top=None):
    gain = torch.where(real, 2.0 ** grade - 1, torch.zeros_like(grade)).sort(dim=1, descending=True).values
    gain = gain[:, :top]
    return (gain * discount(torch.arange(gain.size(1)))).sum(dim=1).clamp(min=1e-6)


def lambda_loss(score, grade, real):
    with torch.no_grad():
        hidden = score.masked_fill(~real, -1e9)
        rank = hidden.argsort(dim=1, descending=True).argsort(dim=1)
        gain = 2.0 ** grade - 1
        swap = (gain[:, :, None] - gain[:, None, :]).abs()
        swap = swap * (discount(rank)[:, :, None] - discount(rank)[:, None, :]).abs()
        swap = swap / best_gain(grade, real)[:, None, None]
        pairs = (grade[:, :, None] > grade[:, None, :]) & real[:, :, None] & real[:, None, :]
    gap = score[:, :, None] - score[:, None, :]
    return (nn.functional.softplus(-gap) * swap)[pairs].sum() / len(score)


def ndcg(score, grade, real, top=5):
    order = score.masked_fill(~real, -1e9).argsort(dim=1, descending=True)[:, :top]
    gain = (2.0 ** grade - 1).gather(1, order) * real.gather(1, order)
    return (gain * discount(torch.arange(order.size(1)))).sum(dim=1) / best_gain(grade, real, top)


@torch.no_grad()
def evaluate(net, loader):
    net.eval()
    return torch.cat([ndcg(net(x).squeeze(-1), grade, real) for x, grade, real in loader]).mean().item()


def main():
    torch.manual_seed(48)
    train = DataLoader(Queries(400, seed=1), batch_size=16, shuffle=True, collate_fn=pad)
    test = DataLoader(Queries(150, seed=2), batch_size=50, collate_fn=pad)
    net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.05), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=15 * len(train))
    for epoch in range(15):
        net.train()
        total = 0.0
        for x, grade, real in train:
            optimizer.zero_grad()
            loss = lambda_loss(net(x).squeeze(-1), grade, real)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}  loss {total / len(train):.4f}")
    print(f"NDCG at five on other queries: {evaluate(net, test):.3f}")


if __name__ == "__main__":
    main()
