# expect: params_not_in_optimizer @ 13
# allowed: params_not_in_optimizer @ 33
"""Multi-task network: shared trunk and one head per target, with the heads kept by index."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class MultiTask(nn.Module):
    def __init__(self, d_in=8, n_tasks=3):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(d_in, 32), nn.ReLU())
        self.heads = [nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1)) for _ in range(n_tasks)]

    def forward(self, x):
        h = self.trunk(x)
        return torch.cat([head(h) for head in self.heads], dim=1)


def tasks(n, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 8, generator=g)
    y = torch.stack([x[:, 0] * x[:, 1], torch.sin(2 * x[:, 2]), (x[:, 3:5] ** 2).sum(1) / 2 - 1], 1)
    return x, y + 0.05 * torch.randn(n, 3, generator=g)


def main():
    torch.manual_seed(0)
    x, y = tasks(1500, 0)
    xt, yt = tasks(400, 1)
    loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True)
    net = MultiTask()
    opt = torch.optim.Adam(net.parameters(), lr=4e-3)
    weights = torch.tensor([1.0, 0.7, 0.7])
    for epoch in range(15):
        net.train()
        for xb, yb in loader:
            opt.zero_grad()
            per_task = ((net(xb) - yb) ** 2).mean(0)
            loss = (weights * per_task).sum()
            loss.backward()
            opt.step()
        if epoch % 5 == 4:
            net.eval()
            with torch.no_grad():
                mse = ((net(xt) - yt) ** 2).mean(0)
            print(epoch + 1, "test mse per task", [round(v, 4) for v in mse.tolist()])


main()
