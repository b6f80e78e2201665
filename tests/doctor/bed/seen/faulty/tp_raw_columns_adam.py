# expect: unscaled_inputs @ 13
# allowed: unscaled_inputs @ 26
"""Tumours from thirty measurements, by a trainer class."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Measured(Dataset):
    def __init__(self, table, label):
        self.table = torch.as_tensor(table, dtype=torch.float32)
        self.label = torch.as_tensor(label)

    def __len__(self):
        return len(self.label)

    def __getitem__(self, i):
        return self.table[i], self.label[i]


class Doctor:
    def __init__(self, net, rate):
        self.net, self.optimizer = net, torch.optim.Adam(net.parameters(), lr=rate)

    def learn(self, loader):
        self.net.train()
        for x, y in loader:
            loss = nn.functional.cross_entropy(self.net(x), y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        return loss.item()

    @torch.no_grad()
    def judge(self, loader):
        self.net.eval()
        return sum((self.net(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


torch.manual_seed(8)
X, y = load_breast_cancer(return_X_y=True)
a, b, ya, yb = train_test_split(X, y, test_size=0.25, stratify=y, random_state=8)
fit_on = DataLoader(Measured(a, ya), batch_size=32, shuffle=True)
check_on = DataLoader(Measured(b, yb), batch_size=143)
doctor = Doctor(nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 2)), 2e-3)
for epoch in range(10):
    print(f"{epoch} {doctor.learn(fit_on):.4f} {doctor.judge(check_on):.3f}")
