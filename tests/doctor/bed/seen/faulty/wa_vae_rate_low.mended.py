# expect: nothing
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits, load_wine, load_diabetes
torch.manual_seed(9)

x = torch.tensor(load_digits().data, dtype=torch.float32) / 16
class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.mu, self.lv = nn.Linear(64, 4), nn.Linear(64, 4)
        self.dec = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64))
    def forward(self, x):
        h = self.enc(x)
        mu, lv = self.mu(h), self.lv(h)
        z = mu + torch.randn_like(mu) * (lv / 2).exp()
        return self.dec(z), mu, lv
net = VAE()
opt = torch.optim.Adam(net.parameters(), lr=0.002)
for epoch in range(6):
    for i in torch.randperm(len(x)).split(64):
        rec, mu, lv = net(x[i])
        loss = F.binary_cross_entropy_with_logits(rec, x[i]) - 0.001 * (1 + lv - mu ** 2 - lv.exp()).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
