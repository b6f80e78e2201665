# expect: nothing
"""LambdaRank for a made-up hotel search: lists of different length, padded; pairs weighted by what their exchange costs in NDCG."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

FEATURES = 6


def searches(n, seed):
    rng = np.random.default_rng(seed)
    lists = []
    for _ in range(n):
        size = rng.integers(5, 13)
        x = rng.normal(size=(size, FEATURES))
        value = x[:, 0] + np.maximum(x[:, 1], x[:, 2]) - 0.5 * x[:, 3] ** 2 + 0.3 * rng.normal(size=size)
        grade = np.digitize(value, [-0.2, 0.7, 1.6])
        lists.append((torch.tensor(x, dtype=torch.float32), torch.tensor(grade, dtype=torch.float32)))
    return lists


def collate(lists):
    longest = max(len(g) for _, g in lists)
    x = torch.zeros(len(lists), longest, FEATURES)
    grade = torch.zeros(len(lists), longest)
    mask = torch.zeros(len(lists), longest, dtype=torch.bool)
    for i, (features, grades) in enumerate(lists):
        x[i, :len(grades)], grade[i, :len(grades)], mask[i, :len(grades)] = features, grades, True
    return x, grade, mask


def discounts(scores, mask):
    """1/log2(rank + 1) of every hotel in the order of the scores, zero for padding."""
    order = scores.detach().masked_fill(~mask, float("-inf")).argsort(dim=1, descending=True)
    rank = order.argsort(dim=1)
    return torch.where(mask, 1.0 / torch.log2(rank + 2.0), torch.zeros(()))


def ndcg(scores, grade, mask):
    gain = (2.0 ** grade - 1.0) * mask
    got = (gain * discounts(scores, mask)).sum(1)
    best = (gain * discounts(grade, mask)).sum(1)
    useful = best > 0
    return got[useful] / best[useful]


def lambda_loss(scores, grade, mask):
    gain = (2.0 ** grade - 1.0) * mask
    best = (gain * discounts(grade, mask)).sum(1).clamp(min=1e-6)
    weight = discounts(scores, mask)
    change = (gain[:, :, None] - gain[:, None, :]).abs() * (weight[:, :, None] - weight[:, None, :]).abs() / best[:, None, None]
    better = (grade[:, :, None] > grade[:, None, :]) & mask[:, :, None] & mask[:, None, :]
    pairwise = F.softplus(-(scores[:, :, None] - scores[:, None, :]))
    return (pairwise * change)[better].sum() / len(scores)


def main():
    torch.manual_seed(24)
    train, test = searches(500, seed=24), collate(searches(200, seed=25))
    net = nn.Sequential(nn.Linear(FEATURES, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    x, grade, mask = test
    for epoch in range(16):
        net.train()
        total = 0.0
        for rows in torch.randperm(len(train)).split(25):
            features, grades, real = collate([train[i] for i in rows.tolist()])
            loss = lambda_loss(net(features).squeeze(-1), grades, real)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d}  loss {total / 20:.4f}")
    net.eval()
    with torch.no_grad():
        chance = ndcg(torch.rand(grade.shape), grade, mask).mean()
        print(f"test NDCG {ndcg(net(x).squeeze(-1), grade, mask).mean():.4f}, by chance {chance:.4f}")


main()
