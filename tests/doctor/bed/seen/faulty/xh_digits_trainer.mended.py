# expect: nothing
"""Handwritten digits with a small trainer class."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

CONFIG = {"epochs": 12, "lr": 1e-3, "batch_size": 64, "hidden": 64, "seed": 3}


class DigitNet(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.fc1 = nn.Linear(8 * 4 * 4, hidden)
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return F.log_softmax(self.fc2(x), dim=1)


class Trainer:
    def __init__(self, model, cfg):
        self.model = model
        self.cfg = cfg
        self.optimizer = torch.optim.Adam(model.parameters(), lr=cfg["lr"])

    def fit(self, loader):
        for epoch in range(self.cfg["epochs"]):
            self.model.train()
            total = 0.0
            for x, y in loader:
                self.optimizer.zero_grad()
                loss = F.nll_loss(self.model(x), y)
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(y)
            print(f"epoch {epoch + 1:2d}  loss {total / len(loader.dataset):.4f}")

    @torch.no_grad()
    def score(self, loader):
        self.model.eval()
        hits = 0
        for x, y in loader:
            hits += (self.model(x).argmax(dim=1) == y).sum().item()
        return hits / len(loader.dataset)


def make_loaders(cfg):
    digits = load_digits()
    images = torch.tensor(digits.images / 16.0, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(digits.target, dtype=torch.long)
    tr, te = train_test_split(range(len(labels)), test_size=0.25, random_state=cfg["seed"], stratify=digits.target)
    train = TensorDataset(images[tr], labels[tr])
    test = TensorDataset(images[te], labels[te])
    return DataLoader(train, cfg["batch_size"], shuffle=True), DataLoader(test, 256)


if __name__ == "__main__":
    torch.manual_seed(CONFIG["seed"])
    train_loader, test_loader = make_loaders(CONFIG)
    trainer = Trainer(DigitNet(CONFIG["hidden"]), CONFIG)
    trainer.fit(train_loader)
    print(f"test accuracy {trainer.score(test_loader):.4f}")
