# expect: nothing
"""Two interleaved spirals, separated by a deep and narrow tanh network trained by SGD with a cosine schedule."""
import math

import torch
from torch import nn


def spirals(n, gen):
    label = torch.arange(n) % 2
    t = torch.rand(n, generator=gen) * 1.2 * math.pi + 0.6
    angle = t + math.pi * label
    points = torch.stack([t * torch.cos(angle), t * torch.sin(angle)], dim=1) / 2.2
    points += 0.06 * torch.randn(n, 2, generator=gen)
    return points, label.float()


class DeepTanh(nn.Module):
    def __init__(self, width=24, depth=7):
        super().__init__()
        sizes = [2] + [width] * depth
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.out = nn.Linear(width, 1)
        self.reset()

    def reset(self):
        for layer in self.hidden:
            nn.init.xavier_normal_(layer.weight, gain=nn.init.calculate_gain("tanh"))
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return self.out(x).squeeze(1)


def main():
    torch.manual_seed(19)
    gen = torch.Generator().manual_seed(19)
    x, y = spirals(800, gen)
    x_test, y_test = spirals(400, gen)
    model = DeepTanh()
    epochs = 25
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for rows in torch.randperm(len(x)).split(40):
            optimizer.zero_grad()
            loss = criterion(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        scheduler.step()
        if (epoch + 1) % 5 == 0:
            print(f"epoch {epoch + 1:2d} loss {total / len(x):.4f}")
    model.eval()
    with torch.no_grad():
        test_accuracy = ((model(x_test) > 0) == y_test.bool()).float().mean().item()
    print(f"test accuracy {test_accuracy:.3f}")


if __name__ == "__main__":
    main()
