# expect: nothing
"""Wine: the width is chosen on validation rows, then a new net learns from both parts and meets the last one."""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(2)
x, y = load_breast_cancer(return_X_y=True)
xa, xt, ya, yt = train_test_split(x, y, test_size=0.25, random_state=2, stratify=y)
xa, xv, ya, yv = train_test_split(xa, ya, test_size=0.25, random_state=2, stratify=ya)
mean, std = xa.mean(0), xa.std(0)
xa, xv, xt = (torch.tensor((a - mean) / std, dtype=torch.float32) for a in (xa, xv, xt))
ya, yv, yt = torch.tensor(ya), torch.tensor(yv), torch.tensor(yt)


def learn(width, a, b):
    net = nn.Sequential(nn.Linear(30, width), nn.ReLU(), nn.Linear(width, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(12):
        for idx in torch.randperm(len(a)).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(a[idx]), b[idx]).backward()
            optimizer.step()
    return net.eval()


@torch.no_grad()
def right(net, a, b):
    return (net(a).argmax(1) == b).float().mean().item()


width = max((4, 16, 64), key=lambda w: right(learn(w, xa, ya), xv, yv))
xa, ya = torch.cat([xa, xv]), torch.cat([ya, yv])
print(width, round(right(learn(width, xa, ya), xt, yt), 3))
