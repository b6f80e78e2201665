# expect: nothing
"""Transfer: a convnet learns digits 0-5, is frozen, and a new head learns 6-9 from forty pictures each."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(21)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.conv2, self.bn2 = nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        x = self.pool(self.bn1(self.conv1(x)).relu())
        return self.pool(self.bn2(self.conv2(x)).relu()).flatten(1)


class FineTuned(nn.Module):
    def __init__(self, backbone, classes):
        super().__init__()
        self.backbone = backbone
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(128, classes))
        for p in self.backbone.parameters():
            p.requires_grad_(False)

    def train(self, mode=True):
        super().train(mode)
        self.backbone.eval()  # keep the running statistics of the source task
        return self

    def forward(self, x):
        with torch.no_grad():
            features = self.backbone(x)
        return self.head(features)


def fit(model, loader, optimizer, epochs, tag):
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            loss = loss_fn(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 4 == 3:
            print(f"{tag} epoch {epoch + 1}: {total / len(loader):.3f}")


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
labels = torch.tensor(digits.target)
order = torch.randperm(len(labels))
images, labels = images[order], labels[order]

# source task
source = labels < 6
x_src, y_src = images[source], labels[source]
backbone = Backbone()
pretraining = nn.Sequential(backbone, nn.Linear(128, 6))
loader = DataLoader(TensorDataset(x_src[:850], y_src[:850]), batch_size=50, shuffle=True)
fit(pretraining, loader, torch.optim.Adam(pretraining.parameters(), lr=2e-3), 4, "source")
print(f"source test accuracy {accuracy(pretraining, x_src[850:], y_src[850:]):.3f}")

# target task
x_tgt, y_tgt = images[~source], labels[~source] - 6
few = torch.cat([(y_tgt == k).nonzero().flatten()[:40] for k in range(4)])
rest = torch.ones(len(y_tgt), dtype=torch.bool)
rest[few] = False
model = FineTuned(backbone, 4)
loader = DataLoader(TensorDataset(x_tgt[few], y_tgt[few]), batch_size=20, shuffle=True)
optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.03, momentum=0.9)
fit(model, loader, optimizer, 12, "target")
print(f"target test accuracy {accuracy(model, x_tgt[rest], y_tgt[rest]):.3f}")
