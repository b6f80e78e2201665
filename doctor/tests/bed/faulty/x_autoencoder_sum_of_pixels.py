# expect: exploding_sum_loss @ 31
# allowed: lr_too_high @ 26
# allowed: non_finite_loss @ 33
# mend: 31 →             loss = F.mse_loss(rebuilt, batch)
# mend: 35 →             total += loss.item() * len(batch)
"""Autoencoder of digits: three numbers per image, plain SGD."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 3))
        self.decoder = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 64))

    def forward(self, x):
        z = self.encoder(x)
        return self.decoder(z), z


def train(model, data, epochs, lr):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    for epoch in range(epochs):
        total = 0.0
        for batch in data[torch.randperm(len(data))].split(64):
            rebuilt, _ = model(batch)
            loss = F.mse_loss(rebuilt, batch, reduction="sum")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"Epoch {epoch + 1}/{epochs} - loss: {total / len(data):.5g}")


if __name__ == "__main__":
    torch.manual_seed(77)
    images = torch.tensor(load_digits().data, dtype=torch.float32) / 16
    train(AutoEncoder(), images - images.mean(0), epochs=4, lr=0.1)
