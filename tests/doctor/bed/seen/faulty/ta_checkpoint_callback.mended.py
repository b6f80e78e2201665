# expect: nothing
"""Digits with a home-grown trainer: the ModelCheckpoint callback writes the best epoch to disk, test() reloads it."""
import os
import tempfile

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split


class LitDigits(nn.Module):
    def __init__(self, width=32, noise=0.35):
        super().__init__()
        self.net = nn.Sequential(
            nn.Dropout(noise), nn.Linear(64, width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, 10)
        )

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=4e-3)


class ModelCheckpoint:
    def __init__(self, dirpath, mode="max"):
        self.path = os.path.join(dirpath, "best.pt")
        self.best_score = None
        self.best_epoch = None
        self.sign = 1 if mode == "max" else -1

    def on_validation_end(self, epoch, model, score):
        if self.best_score is None or self.sign * score > self.sign * self.best_score:
            self.best_score, self.best_epoch = score, epoch
            torch.save(model.state_dict(), self.path)


class Trainer:
    def __init__(self, max_epochs, checkpoint):
        self.max_epochs = max_epochs
        self.checkpoint = checkpoint

    def fit(self, model, train_dataloader, val_dataloader):
        optimizer = model.configure_optimizers()
        for epoch in range(self.max_epochs):
            model.train()
            for batch in train_dataloader:
                optimizer.zero_grad()
                loss = model.training_step(batch)
                loss.backward()
                optimizer.step()
            score = self.accuracy(model, val_dataloader)
            self.checkpoint.on_validation_end(epoch, model, score)
            if epoch % 4 == 3:
                print(f"epoch {epoch + 1}: last batch {loss.item():.3f}, validation accuracy {score:.3f}")

    def test(self, model, test_dataloader):
        model.load_state_dict(torch.load(self.checkpoint.path, weights_only=True))
        return self.accuracy(model, test_dataloader)

    @torch.no_grad()
    def accuracy(self, model, dataloader):
        model.eval()
        hits = [(model(x).argmax(1) == y).sum().item() for x, y in dataloader]
        return sum(hits) / len(dataloader.dataset)


def main():
    torch.manual_seed(88)
    digits = load_digits()
    whole = TensorDataset(torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target))
    train_set, val_set, test_set = random_split(whole, [1000, 397, 400])
    train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=397)
    test_loader = DataLoader(test_set, batch_size=400)

    model = LitDigits()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = ModelCheckpoint(folder)
        trainer = Trainer(max_epochs=16, checkpoint=checkpoint)
        trainer.fit(model, train_loader, val_loader)
        accuracy = trainer.test(model, test_loader)
    print(f"epoch {checkpoint.best_epoch + 1} kept")
    print(f"test accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
