# expect: lr_too_low @ 18
"""SGD given a rate that was tuned for another optimizer and another scale of loss."""

import torch
from sklearn.datasets import load_digits
from torch import nn


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, x):
        return self.net(x)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=1e-5)


def fit(module, x, y, epochs=6, batch=64):
    optimizer = module.configure_optimizers()
    for epoch in range(epochs):
        losses = []
        for idx in torch.randperm(len(x)).split(batch):
            loss = nn.functional.cross_entropy(module(x[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch} loss {sum(losses) / len(losses):.5f}")


torch.manual_seed(0)
digits = load_digits()
fit(Classifier(), torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target))
