# expect: augment_on_test @ 31
# allowed: augment_on_test @ 33
"""random_split hands the training transform to the validation part; its loader shuffles as well."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split


class Digits(Dataset):
    def __init__(self, transform=None):
        bunch = load_digits()
        self.x = torch.tensor(bunch.images / 16, dtype=torch.float32).unsqueeze(1)
        self.y = torch.tensor(bunch.target)
        self.transform = transform

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        x = self.x[i]
        return (self.transform(x) if self.transform else x), self.y[i]


def jitter(x):
    return x + 0.2 * torch.randn_like(x)


torch.manual_seed(0)
train_ds, val_ds = random_split(Digits(transform=jitter), [1437, 360])
train_dl = DataLoader(train_ds, batch_size=60, shuffle=True)
val_dl = DataLoader(val_ds, batch_size=60, shuffle=True)
net = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(4):
    net.train()
    for x, y in train_dl:
        opt.zero_grad()
        loss_fn(net(x), y).backward()
        opt.step()
    net.eval()
    total = 0.0
    with torch.no_grad():
        for x, y in val_dl:
            total += loss_fn(net(x), y).item() * len(y)
    print(f"epoch {epoch} val loss {total / len(val_ds):.4f}")
