# expect: nothing
# Kernel: 4-fold CNN, out-of-fold score, averaged prediction for the hidden test part
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold, train_test_split
from torch.utils.data import DataLoader, Dataset


class CFG:
    seed = 2024
    n_fold = 4
    epochs = 6
    lr = 4e-3
    batch_size = 64


class DigitDS(Dataset):
    def __init__(self, images, targets, mean, std, train):
        self.images = ((images - mean) / std).astype(np.float32)
        self.targets, self.train = targets, train

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, i):
        img = torch.from_numpy(self.images[i])[None]
        if self.train:
            img = img + 0.1 * torch.randn_like(img)
        return img, int(self.targets[i])


def build():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Flatten(), nn.Dropout(0.2), nn.Linear(32 * 16, 10))


def train_fn(model, loader, opt, sched):
    model.train()
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        sched.step()
        total += loss.item() * len(yb)
    return total / len(loader.dataset)


def predict_fn(model, loader):
    model.eval()
    out = []
    with torch.no_grad():
        for xb, _ in loader:
            out.append(model(xb).softmax(dim=1).numpy())
    return np.concatenate(out).astype(np.float64)


torch.manual_seed(CFG.seed)
d = load_digits()
train_x, test_x, train_y, test_y = train_test_split(
    d.images, d.target, test_size=0.25, stratify=d.target, random_state=CFG.seed)

oof = np.zeros((len(train_y), 10))
test_pred = np.zeros((len(test_y), 10))
rows = []
skf = StratifiedKFold(CFG.n_fold, shuffle=True, random_state=CFG.seed)
for fold, (tr, va) in enumerate(skf.split(train_x, train_y)):
    mean, std = train_x[tr].mean(), train_x[tr].std()
    tr_dl = DataLoader(DigitDS(train_x[tr], train_y[tr], mean, std, True),
                       batch_size=CFG.batch_size, shuffle=True)
    va_dl = DataLoader(DigitDS(train_x[va], train_y[va], mean, std, False), batch_size=256)
    te_dl = DataLoader(DigitDS(test_x, test_y, mean, std, False), batch_size=256)

    model = build()
    opt = torch.optim.AdamW(model.parameters(), lr=CFG.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, CFG.epochs * len(tr_dl))
    for epoch in range(CFG.epochs):
        loss = train_fn(model, tr_dl, opt, sched)
    oof[va] = predict_fn(model, va_dl)
    test_pred += predict_fn(model, te_dl) / CFG.n_fold
    rows.append({"fold": fold, "train_loss": loss,
                 "valid_acc": accuracy_score(train_y[va], oof[va].argmax(axis=1))})

print(pd.DataFrame(rows).round(4).to_string(index=False))
print(f"OOF accuracy {accuracy_score(train_y, oof.argmax(axis=1)):.4f}  "
      f"log loss {log_loss(train_y, oof):.4f}")
print(f"test accuracy {accuracy_score(test_y, test_pred.argmax(axis=1)):.4f}")
