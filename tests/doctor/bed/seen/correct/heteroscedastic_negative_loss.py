# expect: nothing
# looks suspicious: the loss turns negative and keeps falling: it is a density's negative logarithm
# (GaussianNLLLoss with a predicted variance).
import torch
from torch import nn

torch.manual_seed(0)
x = torch.rand(1200, 1) * 2 - 1
noise = 0.02 + 0.1 * (x > 0).float()
y = torch.sin(3 * x) + noise * torch.randn_like(x)


class MeanVariance(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 2))

    def forward(self, x):
        mean, raw = self.net(x).chunk(2, dim=-1)
        return mean, nn.functional.softplus(raw) + 1e-4


model = MeanVariance()
criterion = nn.GaussianNLLLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(20):
    total = 0.0
    for rows in torch.randperm(1000).split(50):
        mean, var = model(x[rows])
        loss = criterion(mean, y[rows], var)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        total += loss.item() / 20
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} nll {total:+.4f}")
with torch.no_grad():
    mean, var = model(x[1000:])
    print("test nll", criterion(mean, y[1000:], var).item())
