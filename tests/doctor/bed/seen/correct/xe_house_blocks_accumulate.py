# expect: nothing
"""Block prices with four micro-batches per step; the gradients of the four are summed on purpose."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

MICRO, STEPS_PER_UPDATE, EPOCHS = 16, 4, 15
torch.manual_seed(2)
rng = np.random.default_rng(2)

n = 1500
blocks = pd.DataFrame({
    "income": rng.gamma(5, 9, n),
    "rooms": rng.normal(5.5, 1.1, n),
    "dist": rng.exponential(12, n),
    "age": rng.uniform(1, 52, n),
})
price = (40 + 3.1 * blocks["income"] + 18 * (blocks["rooms"] - 5.5)
         + 60 * np.exp(-blocks["dist"] / 8) - 0.4 * blocks["age"] + rng.normal(0, 12, n)).to_numpy()


class Standard:
    """Scales columns and target with the rows it was given, returns a dataset for all rows."""

    def __init__(self, rows):
        self.x = StandardScaler().fit(blocks.iloc[rows])
        self.mean, self.std = price[rows].mean(), price[rows].std()

    def dataset(self):
        x = torch.tensor(self.x.transform(blocks), dtype=torch.float32)
        t = torch.tensor((price - self.mean) / self.std, dtype=torch.float32)
        return TensorDataset(x, t)


def train(net, loader):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    net.train()
    for epoch in range(EPOCHS):
        n_batches, total = len(loader), 0.0
        for i, (x, t) in enumerate(loader):
            group_start = i - i % STEPS_PER_UPDATE
            group_size = min(STEPS_PER_UPDATE, n_batches - group_start)
            loss = (net(x)[:, 0] - t).square().mean()
            (loss / group_size).backward()
            total += loss.item()
            if i - group_start + 1 == group_size:
                optimizer.step()
                optimizer.zero_grad()
    return total / n_batches


maes, naive = [], []
for fold, (tr, te) in enumerate(KFold(4, shuffle=True, random_state=2).split(blocks)):
    std = Standard(tr)
    data = std.dataset()
    loader = DataLoader(Subset(data, tr.tolist()), batch_size=MICRO, shuffle=True)
    net = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 1))
    last = train(net, loader)
    net.eval()
    x, t = data[te]
    with torch.no_grad():
        miss = (net(x)[:, 0] - t).abs().mean().item() * std.std
    maes.append(miss)
    naive.append(np.abs(price[te] - np.median(price[tr])).mean())
    print(f"fold {fold}: last train loss {last:.4f}  MAE {miss:.2f}  (median only {naive[-1]:.2f})")

print(f"MAE {np.mean(maes):.2f} +- {np.std(maes):.2f}, median only {np.mean(naive):.2f}")
