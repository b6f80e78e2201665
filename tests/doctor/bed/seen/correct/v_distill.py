# expect: nothing
"""Knowledge distillation with softened softmax targets from a frozen teacher."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
dat = load_digits()
mix = torch.randperm(len(dat.target))
X, y = (torch.tensor(dat.data).float() / 16)[mix], torch.tensor(dat.target)[mix]
big = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
small = nn.Sequential(nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))


def fit(net, objective, lr, epochs):
    opt = torch.optim.Adam(net.parameters(), lr=lr)
    for _ in range(epochs):
        net.train()
        for idx in torch.randperm(1400).split(50):
            opt.zero_grad()
            objective(net, X[idx], y[idx]).backward()
            opt.step()


def acc(net):
    net.eval()
    with torch.no_grad():
        return (net(X[1400:]).argmax(1) == y[1400:]).float().mean().item()


fit(big, lambda n, a, b: F.cross_entropy(n(a), b), 2e-3, 10)
big.eval()
for p in big.parameters():
    p.requires_grad = False


def kd(net, a, b, T=3.0):
    with torch.no_grad():
        soft = F.softmax(big(a) / T, dim=1)
    out = net(a)
    return T * T * F.kl_div(F.log_softmax(out / T, dim=1), soft, reduction="batchmean") + F.cross_entropy(out, b)


fit(small, kd, 4e-3, 15)
print("teacher", acc(big), "student", acc(small))
