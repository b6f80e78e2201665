# expect: nothing
"""Digits with random occlusion and noise augmentation in a Dataset class, small conv net."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Digits(Dataset):
    def __init__(self, img, lab, augment):
        self.img, self.lab, self.augment = img, lab, augment

    def __len__(self):
        return len(self.lab)

    def __getitem__(self, i):
        x = self.img[i].clone()
        if self.augment:
            x = x + 0.35 * torch.randn_like(x)
            r, c = torch.randint(0, 5, (2,)).tolist()
            x[:, r:r + 4, c:c + 4] = 0
        return x, self.lab[i]


raw = load_digits()
img, lab = torch.tensor(raw.images).float()[:, None] / 16, torch.tensor(raw.target)
tr, te = train_test_split(range(len(lab)), test_size=0.25, random_state=0, stratify=raw.target)
train_dl = DataLoader(Digits(img[tr], lab[tr], True), batch_size=64, shuffle=True)
test_dl = DataLoader(Digits(img[te], lab[te], False), batch_size=150)
torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 24, 3, padding=1),
                    nn.ReLU(), nn.Flatten(), nn.Linear(384, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(8):
    net.train()
    for x, y in train_dl:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    acc = sum((net(x).argmax(1) == y).sum().item() for x, y in test_dl) / len(te)
print(f"loss {loss.item():.3f} test accuracy {acc:.3f}")
