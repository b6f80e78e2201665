# expect: nothing
"""Transfer learning: conv backbone trained on digits 0-4, frozen, new head for digits 5-9."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(9)
d = load_digits()
X, y = torch.tensor(d.images / 16, dtype=torch.float32).unsqueeze(1), torch.tensor(d.target)


def task(mask, offset):
    a, b, c, e = train_test_split(X[mask], y[mask] - offset, test_size=0.25, random_state=9)
    return DataLoader(TensorDataset(a, c), batch_size=32, shuffle=True), (b, e)


backbone = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten())


def accuracy(head, data):
    backbone.eval()
    head.eval()
    with torch.no_grad():
        return (head(backbone(data[0])).argmax(1) == data[1]).float().mean().item()


loader, test = task(y < 5, 0)
head = nn.Linear(32 * 16, 5)
opt = torch.optim.Adam([*backbone.parameters(), *head.parameters()], lr=2e-3)
for _ in range(4):
    backbone.train()
    head.train()
    for xb, yb in loader:
        opt.zero_grad()
        F.cross_entropy(head(backbone(xb)), yb).backward()
        opt.step()
print("source task", round(accuracy(head, test), 3))

for p in backbone.parameters():
    p.requires_grad_(False)
backbone.eval()
loader, test = task(y >= 5, 5)
new_head = nn.Sequential(nn.Dropout(0.2), nn.Linear(32 * 16, 5))
opt = torch.optim.Adam(new_head.parameters(), lr=2e-3)
for epoch in range(5):
    new_head.train()
    for xb, yb in loader:
        with torch.no_grad():
            feats = backbone(xb)
        loss = F.cross_entropy(new_head(feats), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
print("target task", round(accuracy(new_head, test), 3))
