# expect: nothing
"""Encoder and head with an optimizer each, trained to regress the angle of rotated bars."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def bars(n, seed):
    g = torch.Generator().manual_seed(seed)
    ang = torch.rand(n, generator=g) * 3.1416
    yy, xx = torch.meshgrid(torch.linspace(-1, 1, 12), torch.linspace(-1, 1, 12), indexing="ij")
    d = xx * ang.sin().view(-1, 1, 1) - yy * ang.cos().view(-1, 1, 1)
    img = torch.exp(-(d / 0.25) ** 2) + 0.15 * torch.randn(n, 12, 12, generator=g)
    return img.unsqueeze(1), torch.stack([(2 * ang).cos(), (2 * ang).sin()], 1)


class Rotation:
    def __init__(self):
        self.encoder = nn.Sequential(nn.Conv2d(1, 12, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(300, 32))
        self.head = nn.Linear(32, 2)
        self.opts = {
            "encoder": torch.optim.Adam(self.encoder.parameters(), lr=2e-3),
            "head": torch.optim.Adam(self.head.parameters(), lr=5e-3),
        }

    def mode(self, training):
        self.encoder.train(training)
        self.head.train(training)

    def predict(self, x):
        return self.head(torch.relu(self.encoder(x)))

    def step(self, x, y):
        for opt in self.opts.values():
            opt.zero_grad()
        loss = F.mse_loss(self.predict(x), y)
        loss.backward()
        for name in ("head", "encoder"):
            self.opts[name].step()
        return loss.item()


def main():
    torch.manual_seed(0)
    x, y = bars(800, 0)
    xt, yt = bars(200, 1)
    task = Rotation()
    for epoch in range(8):
        task.mode(True)
        for idx in torch.randperm(len(x)).split(40):
            loss = task.step(x[idx], y[idx])
        task.mode(False)
        with torch.no_grad():
            val = F.mse_loss(task.predict(xt), yt).item()
        print(f"epoch {epoch} loss {loss:.4f} val {val:.4f}")


if __name__ == "__main__":
    main()
