# expect: nothing
"""Fine-tuning: a CNN learns digits 0-4, is frozen (batch norm included) and gets a new head for 5-9."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class ConvNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        )
        self.head = nn.Linear(128, classes)
        self.frozen = False

    def freeze(self):
        self.backbone.requires_grad_(False)
        self.frozen = True

    def train(self, mode=True):
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def forward(self, x):
        if self.frozen:
            with torch.no_grad():
                feats = self.backbone(x)
        else:
            feats = self.backbone(x)
        return self.head(feats)


def fit(model, x, y, epochs, lr, batch=32, accumulate=1):
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=lr, weight_decay=1e-3)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        pieces = torch.randperm(len(x)).split(batch)
        for i, idx in enumerate(pieces):
            loss = F.cross_entropy(model(x[idx]), y[idx])
            (loss / accumulate).backward()
            total += loss.item() * len(idx)
            if (i + 1) % accumulate == 0 or i + 1 == len(pieces):
                optimizer.step()
                optimizer.zero_grad()
        if (epoch + 1) % 5 == 0:
            print(f"  epoch {epoch + 1}  loss {total / len(x):.4f}")


@torch.no_grad()
def accuracy(model, x, y):
    model.eval()
    return (model(x).argmax(dim=1) == y).float().mean().item()


def task(images, labels, low, high):
    rows = (labels >= low) & (labels < high)
    parts = train_test_split(images[rows], labels[rows] - low, test_size=0.3, stratify=labels[rows], random_state=5)
    xa, xb, ya, yb = parts
    return tuple(torch.tensor(x, dtype=torch.float32)[:, None] for x in (xa, xb)) + (torch.tensor(ya), torch.tensor(yb))


def main():
    torch.manual_seed(5)
    digits = load_digits()
    images = digits.images / 8.0 - 1.0
    xa, xb, ya, yb = task(images, digits.target, 0, 5)
    model = ConvNet(classes=5)
    print("digits 0-4, whole net")
    fit(model, xa, ya, epochs=5, lr=2e-3)
    print(f"  test accuracy {accuracy(model, xb, yb):.4f}")

    model.freeze()
    model.head = nn.Linear(128, 5)
    xa, xb, ya, yb = task(images, digits.target, 5, 10)
    print("digits 5-9, new head only")
    fit(model, xa, ya, epochs=10, lr=1e-2, batch=16, accumulate=4)
    print(f"  test accuracy {accuracy(model, xb, yb):.4f}")


if __name__ == "__main__":
    main()
