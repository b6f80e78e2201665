# expect: augment_on_test @ 27
# mend: 27 → val_loader = DataLoader(val_set, 120)
"""Random erasing in a collate function that both loaders share."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(10)
digits = load_digits()
full = TensorDataset(
    torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16, torch.tensor(digits.target)
)
train_set, val_set = random_split(full, [1437, 360])


def erase(batch):
    images = torch.stack([b[0] for b in batch]).clone()
    for image in images:
        r, c = torch.randint(0, 6, (2,)).tolist()
        image[:, r : r + 3, c : c + 3] = 0.0
    return images, torch.stack([b[1] for b in batch])


train_loader = DataLoader(train_set, 64, shuffle=True, collate_fn=erase)
val_loader = DataLoader(val_set, 120, collate_fn=erase)
net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10)
)
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(4):
    net.train()
    for images, targets in train_loader:
        optimizer.zero_grad()
        loss = loss_fn(net(images), targets)
        loss.backward()
        optimizer.step()
    net.eval()
    hits, total = 0, 0
    with torch.no_grad():
        for images, targets in val_loader:
            hits += (net(images).argmax(1) == targets).sum().item()
            total += len(targets)
    print(f"epoch {epoch}: val accuracy {hits / total:.4f}")
