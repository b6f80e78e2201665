# expect: nothing
"""Transfer learning: a conv backbone trained on even digits, frozen for the odd ones."""
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(11)
d = load_digits()
imgs = torch.tensor(d.images, dtype=torch.float32).unsqueeze(1) / 16
labels = torch.tensor(d.target)


def subset(parity):
    keep = labels % 2 == parity
    x, y = imgs[keep], labels[keep] // 2
    a, b = train_test_split(torch.arange(len(x)).numpy(), test_size=0.3, random_state=0, stratify=y.numpy())
    return x[a], y[a], x[b], y[b]


class Model(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(16 * 9, 5)

    def forward(self, x):
        return self.head(self.backbone(x))


class FrozenModel(Model):
    def train(self, mode=True):
        super().train(mode)
        self.backbone.eval()
        return self


def fit(model, params, x, y, epochs, lr):
    opt = torch.optim.Adam(params, lr=lr)
    for _ in range(epochs):
        model.train()
        for idx in torch.randperm(len(x)).split(48):
            opt.zero_grad()
            nn.functional.cross_entropy(model(x[idx]), y[idx]).backward()
            opt.step()


def acc(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


backbone = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(16, 16, 2), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten())
xa, ya, xb, yb = subset(0)
base = Model(backbone)
fit(base, base.parameters(), xa, ya, 8, 3e-3)
print(f"even digits {acc(base, xb, yb):.3f}")

for p in backbone.parameters():
    p.requires_grad = False
xa, ya, xb, yb = subset(1)
tuned = FrozenModel(backbone)
fit(tuned, [p for p in tuned.parameters() if p.requires_grad], xa, ya, 15, 5e-3)
print(f"odd digits, only the head trained {acc(tuned, xb, yb):.3f}")
