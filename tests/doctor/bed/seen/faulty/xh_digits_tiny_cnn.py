# expect: lr_too_low @ 14
# allowed: lr_too_low @ 61
# allowed: lr_too_low @ 71
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset

CFG = {"seed": 42, "epochs": 6, "batch_size": 32, "lr": 3e-6, "weight_decay": 1e-4, "hidden": 64}


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class DigitImages(Dataset):
    """8x8 grey digits, pixel values 0..16."""

    def __init__(self, images, labels):
        self.images = images
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, idx):
        img = torch.from_numpy(self.images[idx]).float().unsqueeze(0) / 16.0
        return (img - 0.3) / 0.38, int(self.labels[idx])


class TinyCNN(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc1 = nn.Linear(16 * 2 * 2, hidden)
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def main():
    seed_everything(CFG["seed"])
    digits = load_digits()
    im_tr, im_te, lb_tr, lb_te = train_test_split(
        digits.images, digits.target, test_size=0.3, stratify=digits.target, random_state=CFG["seed"])
    train_loader = DataLoader(DigitImages(im_tr, lb_tr), batch_size=CFG["batch_size"], shuffle=True)
    test_loader = DataLoader(DigitImages(im_te, lb_te), batch_size=128, shuffle=False)

    model = TinyCNN(CFG["hidden"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=CFG["lr"], weight_decay=CFG["weight_decay"])

    for epoch in range(CFG["epochs"]):
        model.train()
        seen, correct, loss_sum = 0, 0, 0.0
        for images, labels in train_loader:
            optimizer.zero_grad()
            logits = model(images)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.step()
            seen += labels.size(0)
            loss_sum += loss.item() * labels.size(0)
            correct += (logits.argmax(dim=1) == labels).sum().item()
        print(f"[{epoch + 1}/{CFG['epochs']}] loss={loss_sum / seen:.4f} acc={correct / seen:.3f}")

    model.eval()
    correct = 0
    with torch.no_grad():
        for images, labels in test_loader:
            correct += (model(images).argmax(dim=1) == labels).sum().item()
    print(f"test acc={correct / len(lb_te):.3f}")


if __name__ == "__main__":
    main()
