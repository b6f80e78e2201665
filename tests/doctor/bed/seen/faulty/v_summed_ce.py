# expect: exploding_sum_loss @ 35
# allowed: exploding_sum_loss @ 45
# allowed: exploding_sum_loss @ 46
# allowed: exploding_sum_loss @ 52
# allowed: exploding_sum_loss @ 53
"""Convolutional classifier of 1-D signals with a configurable loss."""
import torch
import torch.nn as nn

torch.manual_seed(61)


class SignalNet(nn.Module):
    def __init__(self, classes=5):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(1, 12, 7, padding=3), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(12, 24, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool1d(4), nn.Flatten(),
            nn.Linear(96, 48), nn.ReLU(), nn.Linear(48, classes))

    def forward(self, x):
        return self.net(x)


def signals(n):
    t = torch.linspace(0, 1, 40)
    y = torch.randint(0, 5, (n,))
    f = 2.0 + 2.0 * y.float()
    x = torch.sin(6.283 * (f[:, None] * t + torch.rand(n, 1))) + 0.4 * torch.randn(n, 40)
    return x.unsqueeze(1), y


def build_loss(name):
    if name == "ce":
        return nn.CrossEntropyLoss(reduction="sum")
    if name == "smooth":
        return nn.CrossEntropyLoss(label_smoothing=0.1)
    raise ValueError(name)


def main(loss_name="ce", lr=0.05, batch=128, epochs=10):
    x, y = signals(1280)
    xt, yt = signals(400)
    model = SignalNet()
    criterion = build_loss(loss_name)
    opt = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(batch):
            opt.zero_grad()
            loss = criterion(model(x[idx]), y[idx])
            loss.backward()
            opt.step()
            total += loss.item()
        if epoch % 3 == 0:
            print(f"epoch {epoch} loss {total / (len(x) / batch):.4f}")
    model.eval()
    with torch.no_grad():
        acc = (model(xt).argmax(1) == yt).float().mean().item()
    print(f"test accuracy {acc:.3f}")


main()
