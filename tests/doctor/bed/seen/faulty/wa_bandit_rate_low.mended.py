# expect: nothing
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits, load_wine, load_diabetes
torch.manual_seed(12)

w = torch.randn(6, 4)
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 4))
opt = torch.optim.Adam(net.parameters(), lr=0.002)
for step in range(30 * 6):
    s = torch.randn(64, 6)
    d = torch.distributions.Categorical(logits=net(s))
    a = d.sample()
    r = (a == (s @ w).argmax(1)).float()
    loss = -(d.log_prob(a) * (r - r.mean())).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
