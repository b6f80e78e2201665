# expect: nothing
"""Grades of ore: 94 % ordinary, 4 % rich, 2 % very rich. Trainer class, accuracy as the figure."""

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def make(n, generator):
    probs = torch.tensor([0.94, 0.04, 0.02])
    y = torch.multinomial(probs, n, replacement=True, generator=generator)
    x = torch.randn(n, 6, generator=generator)
    x[:, 0] += 1.4 * (y == 1)
    x[:, 1] += 1.5 * (y == 2)
    return TensorDataset(x, y)


class Trainer:
    def __init__(self, model, train_data, test_data):
        self.model = model
        self.train_loader = DataLoader(train_data, batch_size=128, shuffle=True)
        self.test_loader = DataLoader(test_data, batch_size=500)
        self.criterion = nn.CrossEntropyLoss(weight=torch.tensor([1 / 0.94, 1 / 0.04, 1 / 0.02]))
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=4e-3)

    def train(self, epochs):
        for epoch in range(epochs):
            self.model.train()
            for x, y in self.train_loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(x), y)
                loss.backward()
                self.optimizer.step()
            print(f"Epoch {epoch + 1} | Training loss: {loss.item():.4f}")

    def test(self):
        self.model.eval()
        table = torch.zeros(3, 3, dtype=torch.long)
        with torch.no_grad():
            for x, y in self.test_loader:
                for truth, guess in zip(y.tolist(), self.model(x).argmax(1).tolist(), strict=True):
                    table[truth, guess] += 1
        recalls = (table.diag() / table.sum(1)).tolist()
        print(f"Accuracy: {table.diag().sum() / table.sum():.3f} recalls: {[round(r, 2) for r in recalls]}")


if __name__ == "__main__":
    torch.manual_seed(0)
    g = torch.Generator().manual_seed(4)
    trainer = Trainer(
        nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 3)), make(3000, g), make(1500, g)
    )
    trainer.train(epochs=5)
    trainer.test()
