# expect: nothing
"""Pretrain on plenty of digits, fine-tune on shifted ones: tiny lr for the body, larger for the new head."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(16)
d = load_digits()
X, y = torch.tensor(d.images / 16, dtype=torch.float32).unsqueeze(1), torch.tensor(d.target)
Xp, Xr, yp, yr = train_test_split(X, y, test_size=0.4, random_state=16, stratify=y)
Xr = 1.0 - Xr * 0.9                      # the new camera inverts the picture
Xf, Xt, yf, yt = train_test_split(Xr, yr, test_size=0.5, random_state=16, stratify=yr)
body = nn.Sequential(nn.Conv2d(1, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
head = nn.Linear(24 * 16, 10)


def train(net, opt, X, y, epochs):
    for epoch in range(epochs):
        net.train()
        tot = 0.0
        for i in torch.randperm(len(X)).split(32):
            opt.zero_grad()
            loss = F.cross_entropy(net(X[i]), y[i])
            loss.backward()
            opt.step()
            tot += loss.item() * len(i)
    return tot / len(X)


def accuracy(net, X, y):
    net.eval()
    with torch.no_grad():
        return (net(X).argmax(1) == y).float().mean().item()


net = nn.Sequential(body, head)
print("pretrain loss", round(train(net, torch.optim.Adam(net.parameters(), lr=3e-3), Xp, yp, 8), 4))
print("before fine-tuning", round(accuracy(net, Xt, yt), 3))
net = nn.Sequential(body, nn.Linear(24 * 16, 10))
opt = torch.optim.Adam([{"params": net[0].parameters(), "lr": 1e-5}, {"params": net[1].parameters(), "lr": 3e-3}])
print("fine-tune loss", round(train(net, opt, Xf, yf, 15), 4))
print("after fine-tuning", round(accuracy(net, Xt, yt), 3))
