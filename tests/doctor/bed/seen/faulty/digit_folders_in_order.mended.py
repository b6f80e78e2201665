# expect: nothing
# mends: digit_folders_in_order.py
"""Images gathered folder by folder, as from a directory per class, and read in that order."""

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Folders(Dataset):
    """Lists class 0 first, then class 1, and so on."""

    def __init__(self, images, labels):
        order = np.argsort(labels, kind="stable")
        self.items = [(images[i], int(labels[i])) for i in order]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        image, label = self.items[i]
        return torch.from_numpy(image), label


torch.manual_seed(0)
d = load_digits()
tr_x, va_x, tr_y, va_y = train_test_split(
    (d.images / 16).astype("float32"), d.target, test_size=0.2, random_state=0, stratify=d.target
)
train_loader = DataLoader(Folders(tr_x, tr_y), batch_size=32, shuffle=True)
val_loader = DataLoader(Folders(va_x, va_y), batch_size=360)
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(5):
    for images, labels in train_loader:
        loss = F.cross_entropy(model(images), labels)
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        images, labels = next(iter(val_loader))
        acc = (model(images).argmax(1) == labels).float().mean().item()
    print(f"epoch {epoch} loss {loss.item():.3f} validation accuracy {acc:.3f}")
