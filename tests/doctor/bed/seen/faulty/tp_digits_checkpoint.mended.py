# expect: nothing
"""Noisy digits: a trainer keeps the best checkpoint on disk and reports the restored model."""
import os
import tempfile

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class BestCheckpoint:
    def __init__(self, path):
        self.path = path
        self.best = -1.0

    def update(self, model, score):
        if score > self.best:
            self.best = score
            torch.save(model.state_dict(), self.path)

    def restore(self, model):
        model.load_state_dict(torch.load(self.path))


class Trainer:
    def __init__(self, model, checkpoint, lr=3e-3):
        self.model = model
        self.checkpoint = checkpoint
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        self.criterion = nn.CrossEntropyLoss()

    def fit(self, train_loader, eval_loader, epochs):
        for epoch in range(epochs):
            self.model.train()
            for x, y in train_loader:
                self.optimizer.zero_grad()
                self.criterion(self.model(x), y).backward()
                self.optimizer.step()
            score = self.score(eval_loader)
            self.checkpoint.update(self.model, score)
            if epoch % 5 == 4:
                print(f"epoch {epoch + 1:2d} score {score:.3f} best {self.checkpoint.best:.3f}")
        self.checkpoint.restore(self.model)

    @torch.no_grad()
    def score(self, loader):
        self.model.eval()
        hits = sum((self.model(x).argmax(1) == y).sum().item() for x, y in loader)
        return hits / len(loader.dataset)


def make_loaders(seed):
    x, y = load_digits(return_X_y=True)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)) * 0.3
    x = torch.tensor(x / 16.0, dtype=torch.float32) + noise
    y = torch.tensor(y)
    rest, test = train_test_split(torch.arange(len(y)), test_size=0.2, stratify=y, random_state=seed)
    train, val = train_test_split(rest, test_size=0.2, stratify=y[rest], random_state=seed)
    return [DataLoader(TensorDataset(x[i], y[i]), batch_size=64, shuffle=s)
            for i, s in ((train, True), (val, False), (test, False))]


if __name__ == "__main__":
    torch.manual_seed(29)
    train_loader, val_loader, test_loader = make_loaders(29)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10))
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(net, BestCheckpoint(os.path.join(folder, "best.pt")))
        trainer.fit(train_loader, val_loader, epochs=20)
    print(f"test accuracy {trainer.score(test_loader):.3f}")
