# expect: nothing
"""Digits with shift augmentation; the test set is scored clean and with test-time augmentation averaged."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(17)


class Digits(Dataset):
    def __init__(self, images, labels, augment=False):
        self.images, self.labels, self.augment = images, labels, augment

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        img = torch.tensor(self.images[i] / 16, dtype=torch.float32)
        if self.augment:
            img = torch.roll(img, int(torch.randint(-1, 2, (1,))), dims=1)
        return img.unsqueeze(0), int(self.labels[i])


d = load_digits()
a, b, c, e = train_test_split(d.images, d.target, test_size=0.25, random_state=17, stratify=d.target)
train_loader = DataLoader(Digits(a, c, augment=True), batch_size=64, shuffle=True)
test_loader = DataLoader(Digits(b, e), batch_size=128)
net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
                    nn.Flatten(), nn.Dropout(0.2), nn.Linear(32 * 16, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(6):
    net.train()
    s = 0.0
    for x, y in train_loader:
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        s += loss.item()
    print(f"epoch {epoch} loss {s / len(train_loader):.4f}")

net.eval()
plain = tta = 0
with torch.no_grad():
    for x, y in test_loader:
        plain += (net(x).argmax(1) == y).sum().item()
        views = torch.stack([F.softmax(net(torch.roll(x, k, dims=3)), dim=1) for k in (-1, 0, 1)])
        tta += (views.mean(0).argmax(1) == y).sum().item()
print(f"plain {plain / len(e):.3f} tta {tta / len(e):.3f}")
