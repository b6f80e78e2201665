# expect: nothing
# looks suspicious: two free scalars start at exactly zero and the loss falls below zero: learned log
# variances weigh a classification and a regression (Kendall et al. 2018).
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(1000, 6)
angle = torch.atan2(x[:, 0], x[:, 1])
quadrant = (x[:, 0] > 0).long() * 2 + (x[:, 1] > 0).long()
value = 0.1 * torch.sin(angle) + 0.01 * torch.randn(1000)


class MultiTask(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU())
        self.cls = nn.Linear(48, 4)
        self.reg = nn.Linear(48, 1)
        self.log_var = nn.Parameter(torch.zeros(2))

    def forward(self, x):
        h = self.body(x)
        return self.cls(h), self.reg(h).squeeze(-1)


net = MultiTask()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(12):
    for rows in torch.randperm(800).split(50):
        logits, guess = net(x[rows])
        ce = nn.functional.cross_entropy(logits, quadrant[rows])
        mse = nn.functional.mse_loss(guess, value[rows])
        s = net.log_var
        loss = torch.exp(-s[0]) * ce + s[0] / 2 + torch.exp(-s[1]) * mse / 2 + s[1] / 2
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 3 == 2:
        print(f"epoch {epoch} total {loss.item():.3f} ce {ce.item():.4f} mse {mse.item():.5f} {s.tolist()}")
with torch.no_grad():
    logits, guess = net(x[800:])
    print("accuracy", (logits.argmax(1) == quadrant[800:]).float().mean().item())
    print("rmse", (guess - value[800:]).square().mean().sqrt().item())
