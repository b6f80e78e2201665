# expect: unshuffled_sorted @ 31
"""Small conv net for hand-drawn 8x8 glyphs, kept one folder per class as the level editor exports them."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(1)


class GlyphFolders(Dataset):
    """Lists the glyphs folder by folder."""

    def __init__(self, images, labels):
        self.index = [(im, c) for c in range(10) for im in images[labels == c]]

    def __len__(self):
        return len(self.index)

    def __getitem__(self, i):
        image, label = self.index[i]
        return torch.tensor(image, dtype=torch.float32).unsqueeze(0), label


def build_loaders(images, labels, batch_size=32):
    parts = train_test_split(images, labels, test_size=0.25, stratify=labels, random_state=1)
    train, test = GlyphFolders(parts[0], parts[2]), GlyphFolders(parts[1], parts[3])
    return {
        "train": DataLoader(train, batch_size, drop_last=True),
        "test": DataLoader(test, batch_size),
    }


net = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(24 * 16, 10),
)
images, labels = load_digits(return_X_y=True)
loaders = build_loaders(images.reshape(-1, 8, 8) / 16.0 - 0.3, labels)
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(6):
    net.train()
    total = count = 0
    for x, y in loaders["train"]:
        loss = F.cross_entropy(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total, count = total + loss.item() * len(y), count + len(y)
    print(f"epoch {epoch + 1}: {total / count:.4f}")

net.eval()
hits = seen = 0
with torch.no_grad():
    for x, y in loaders["test"]:
        hits += (net(x).argmax(1) == y).sum().item()
        seen += len(y)
print(f"test accuracy {hits / seen:.3f}")
