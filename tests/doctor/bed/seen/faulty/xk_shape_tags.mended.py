# expect: nothing
"""Multi-label tagging of synthetic 16x16 images.

Every image may hold a horizontal bar, a vertical bar, a diagonal and a ring;
the network says for each of the four whether it is there.
"""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

TAGS = ["hbar", "vbar", "diag", "ring"]


class ShapeTags(Dataset):
    def __init__(self, n, rng):
        self.y = (rng.random((n, 4)) < 0.5).astype(np.float32)
        self.x = np.stack([self.draw(t, rng) for t in self.y])[:, None]

    @staticmethod
    def draw(tags, rng):
        img = rng.normal(0, 0.35, (16, 16)).astype(np.float32)
        if tags[0]:
            img[rng.integers(1, 15), 2:14] += 1
        if tags[1]:
            img[2:14, rng.integers(1, 15)] += 1
        if tags[2]:
            s = rng.integers(0, 6)
            for k in range(10):
                img[s + k, k + 3] += 1
        if tags[3]:
            cy, cx = rng.integers(4, 12, 2)
            yy, xx = np.mgrid[:16, :16]
            img[np.abs(np.hypot(yy - cy, xx - cx) - 3) < 0.6] += 1
        return img

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return torch.from_numpy(self.x[i]), torch.from_numpy(self.y[i])


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.fc1 = nn.Linear(32 * 16, 64)
        self.fc2 = nn.Linear(64, len(TAGS))

    def forward(self, x):
        x = self.features(x).flatten(1)
        x = torch.relu(self.fc1(x))
        return self.fc2(x)


torch.manual_seed(5)
rng = np.random.default_rng(5)
train_dl = DataLoader(ShapeTags(1200, rng), batch_size=40, shuffle=True)
test_dl = DataLoader(ShapeTags(400, rng), batch_size=200)

model = Tagger()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

for epoch in range(8):
    model.train()
    total = 0.0
    for xb, yb in train_dl:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch}: bce {total / len(train_dl.dataset):.4f}")

model.eval()
hits = []
with torch.no_grad():
    for xb, yb in test_dl:
        hits.append(((model(xb) > 0.0).float() == yb).float())
for tag, a in zip(TAGS, torch.cat(hits).mean(dim=0)):
    print(f"{tag}: {a:.3f}")
