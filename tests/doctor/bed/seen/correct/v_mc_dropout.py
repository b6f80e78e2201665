# expect: nothing
"""Uncertainty by Monte-Carlo dropout: dropout stays on for the prediction samples."""
import torch
from torch import nn

torch.manual_seed(5)


def data(n, lo=-2.0, hi=2.0):
    x = torch.rand(n, 1) * (hi - lo) + lo
    return x, torch.sin(2 * x) + 0.1 * torch.randn(n, 1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(1, 64), nn.ReLU(), nn.Dropout(0.1),
                               nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 1))

    def forward(self, x):
        return self.f(x)


def mc_predict(model, x, samples=50):
    model.eval()
    for m in model.modules():
        if isinstance(m, nn.Dropout):
            m.train()
    with torch.no_grad():
        draws = torch.stack([model(x) for _ in range(samples)])
    model.eval()
    return draws.mean(0), draws.std(0)


x, y = data(800)
model = Net()
opt = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-5)
for epoch in range(30):
    model.train()
    total = 0.0
    for idx in torch.randperm(800).split(40):
        loss = nn.functional.mse_loss(model(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} mse {total / 20:.4f}")

xi, yi = data(300)
mean, std_in = mc_predict(model, xi)
_, std_out = mc_predict(model, data(300, 4.0, 6.0)[0])
print(f"mse {nn.functional.mse_loss(mean, yi).item():.4f} std inside {std_in.mean().item():.3f} outside {std_out.mean().item():.3f}")
