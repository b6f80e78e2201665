# expect: label_misaligned @ 23
"""Recognise digits from a Dataset that orders its pictures by brightness for cheap caching."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class CachedDigits(Dataset):
    """Pictures are kept in order of their mean ink, labels as they came."""

    def __init__(self, images, labels):
        self.images = torch.tensor(images, dtype=torch.float32).unsqueeze(1) / 16.0 - 0.3
        self.labels = torch.tensor(labels)
        self.order = self.images.mean((1, 2, 3)).argsort()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        j = self.order[i]
        return self.images[j], self.labels[i]


class SmallConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Linear(24 * 4, 10)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def evaluate(model, loader):
    model.eval()
    with torch.inference_mode():
        ok = [(model(x).argmax(1) == y).float() for x, y in loader]
    return torch.cat(ok).mean().item()


def main():
    torch.manual_seed(0)
    d = load_digits()
    a, b, c, e = train_test_split(d.images, d.target, test_size=0.25, random_state=0)
    train_loader = DataLoader(CachedDigits(a, c), batch_size=48, shuffle=True)
    test_loader = DataLoader(CachedDigits(b, e), batch_size=200)
    model = SmallConv()
    opt = torch.optim.AdamW(model.parameters(), lr=4e-3)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=6)
    for epoch in range(6):
        model.train()
        for x, y in train_loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            opt.step()
        sched.step()
        print(f"epoch {epoch} loss {loss.item():.3f} test {evaluate(model, test_loader):.3f}")


if __name__ == "__main__":
    main()
