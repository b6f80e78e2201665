# expect: nothing
"""Machine-state monitoring: three states from vibration windows, 1D conv net in a Trainer class."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

torch.manual_seed(9)
rs = np.random.RandomState(9)


def simulate(n):
    """0 = normal (93%), 1 = imbalance (4%), 2 = bearing fault (3%)."""
    y = rs.choice(3, n, p=[0.93, 0.04, 0.03])
    t = np.linspace(0, 1, 32)
    x = rs.normal(0, 1.0, (n, 1, 32))
    for k, f in [(1, 3), (2, 7)]:
        x[y == k, 0] += 0.6 * np.sin(2 * np.pi * f * t)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


class Trainer:
    def __init__(self, train, epochs=10):
        self.epochs = epochs
        self.loader = self.make_loader(*train)
        self.net = nn.Sequential(nn.Conv1d(1, 8, 9, padding=4), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(), nn.Linear(8 * 32, 3))
        self.opt = torch.optim.Adam(self.net.parameters(), lr=1e-3, weight_decay=1e-3)

    def make_loader(self, x, y):
        w = 1.0 / torch.bincount(y).float()
        sampler = WeightedRandomSampler(w[y], len(y))
        return DataLoader(TensorDataset(x, y), batch_size=64, sampler=sampler)

    def run(self):
        for ep in range(self.epochs):
            self.net.train()
            tot = 0.0
            for x, y in self.loader:
                loss = F.cross_entropy(self.net(x), y)
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
                tot += loss.item()
            print(f"epoch {ep} loss {tot / len(self.loader):.3f}")

    @torch.no_grad()
    def report(self, x, y):
        self.net.eval()
        pred = self.net(x).argmax(1)
        rec = [(pred[y == k] == k).float().mean().item() for k in range(3)]
        print("accuracy", round((pred == y).float().mean().item(), 3))
        print("recall per class", [round(r, 3) for r in rec], "balanced", round(sum(rec) / 3, 3))


trainer = Trainer(simulate(2500))
trainer.run()
trainer.report(*simulate(1500))
