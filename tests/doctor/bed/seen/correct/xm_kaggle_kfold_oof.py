# expect: nothing
# %% [code] Leaf-shape recognition: stratified 4-fold, out-of-fold score, averaged submission
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold
from torch.utils.data import DataLoader, Dataset


class CFG:
    seed = 2024
    size = 16
    n_folds = 4
    epochs = 7
    batch_size = 40
    lr = 4e-3
    classes = ["round", "oval", "star", "needle"]


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


seed_everything(CFG.seed)


# %% [code] data
def draw_leaf(kind, rng):
    yy, xx = np.mgrid[:CFG.size, :CFG.size] - (CFG.size - 1) / 2
    th = rng.uniform(0, np.pi)
    u, v = xx * np.cos(th) + yy * np.sin(th), -xx * np.sin(th) + yy * np.cos(th)
    r, phi = np.hypot(u, v), np.arctan2(v, u)
    s = rng.uniform(5, 7)
    mask = [r < s, (u / s) ** 2 + (v / (0.55 * s)) ** 2 < 1,
            r < s * (0.6 + 0.4 * np.cos(5 * phi)), (np.abs(v) < 1.2) & (np.abs(u) < s)][kind]
    return mask.astype(np.float32) + 0.25 * rng.standard_normal(mask.shape).astype(np.float32)


def make_table(n, seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % len(CFG.classes))
    return np.stack([draw_leaf(k, rng) for k in labels]), labels


train_images, train_labels = make_table(500, 0)
test_images, test_labels = make_table(200, 1)


class LeafDataset(Dataset):
    def __init__(self, images, labels, flip=False):
        self.images, self.labels, self.flip = images, labels, flip

    def __len__(self):
        return len(self.images)

    def __getitem__(self, idx):
        img = torch.from_numpy(self.images[idx])[None]
        if self.flip and random.random() < 0.5:
            img = img.flip(-1)
        if self.flip and random.random() < 0.5:
            img = img.flip(-2)
        return img, int(self.labels[idx])


# %% [code] model
class LeafNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12)
        self.c2, self.b2 = nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24)
        self.fc = nn.Linear(24 * 16, len(CFG.classes))

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.b1(self.c1(x))), 2)
        x = F.max_pool2d(F.relu(self.b2(self.c2(x))), 2)
        return self.fc(F.dropout(x.flatten(1), 0.3, training=self.training))


def train_fn(model, loader, optimizer, scheduler):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()


def predict_fn(model, loader):
    model.eval()
    with torch.no_grad():
        return np.concatenate([model(x).double().softmax(dim=1).numpy() for x, _ in loader])


# %% [code] folds
oof = np.zeros((len(train_labels), len(CFG.classes)))
submission = np.zeros((len(test_labels), len(CFG.classes)))
test_loader = DataLoader(LeafDataset(test_images, test_labels), batch_size=100)
skf = StratifiedKFold(n_splits=CFG.n_folds, shuffle=True, random_state=CFG.seed)
for fold, (trn, val) in enumerate(skf.split(train_images, train_labels)):
    seed_everything(CFG.seed + fold)
    trn_loader = DataLoader(LeafDataset(train_images[trn], train_labels[trn], flip=True),
                            batch_size=CFG.batch_size, shuffle=True)
    val_loader = DataLoader(LeafDataset(train_images[val], train_labels[val]), batch_size=100)
    model = LeafNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=CFG.lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=CFG.epochs * len(trn_loader))
    for _ in range(CFG.epochs):
        train_fn(model, trn_loader, optimizer, scheduler)
    oof[val] = predict_fn(model, val_loader)
    submission += predict_fn(model, test_loader) / CFG.n_folds
    print(f"fold {fold}: acc {accuracy_score(train_labels[val], oof[val].argmax(1)):.4f}")

print(f"OOF   acc {accuracy_score(train_labels, oof.argmax(1)):.4f}  logloss {log_loss(train_labels, oof):.4f}")
print(f"Test  acc {accuracy_score(test_labels, submission.argmax(1)):.4f}")
