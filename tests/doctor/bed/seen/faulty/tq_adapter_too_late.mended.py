# expect: nothing
"""A layer that was trained gets a low-rank neighbour for new digits."""
import torch
from sklearn.datasets import load_digits
from torch import nn


class LowRank(nn.Module):
    def __init__(self, layer: nn.Linear, rank: int = 8) -> None:
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.down = nn.Linear(layer.in_features, rank, bias=False)
        self.up = nn.Linear(rank, layer.out_features, bias=False)
        nn.init.normal_(self.up.weight, std=0.05)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + self.up(self.down(x))


def fit(net, optimizer, x, y, epochs):
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(50):
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


torch.manual_seed(4)
pictures, digits = load_digits(return_X_y=True)
order = torch.randperm(len(digits))
x, y = torch.tensor(pictures / 16).float()[order], torch.tensor(digits)[order]
net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
net[0] = LowRank(net[0])
optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=3e-3)
fit(net, optimizer, x[:1300], y[:1300], epochs=10)
net.eval()
with torch.no_grad():
    print("right:", (net(x[1300:]).argmax(1) == y[1300:]).float().mean().item())
