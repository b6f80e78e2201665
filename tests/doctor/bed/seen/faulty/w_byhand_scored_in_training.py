# expect: missing_eval @ 31
"""A loss by hand and figures by scikit-learn."""
import torch
from sklearn.metrics import r2_score
from torch import nn

torch.manual_seed(0)
x = torch.randn(400, 6)
y = x[:, 0] * x[:, 1] + x[:, 2]
net = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 1), nn.Flatten(0))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)


def train_epoch():
    for i in torch.randperm(320).split(32):
        gap = net(x[i]) - y[i]
        loss = (gap ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()


for epoch in range(10):
    train_epoch()


# the score of the rest


with torch.no_grad():
    said = net(x[320:])
print("r2", r2_score(y[320:].numpy(), said.numpy()))
