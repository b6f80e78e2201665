# expect: nothing
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence
torch.manual_seed(0)
X = torch.rand(400, 12)
Y = torch.randint(0, 3, (400,))
E_ = nn.Linear(12, 16)
enc = nn.Sequential(E_, nn.ReLU())
mu_, ls_ = nn.Linear(16, 4), nn.Linear(16, 4)
dec = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 12))
params = [*enc.parameters(), *mu_.parameters(), *ls_.parameters(), *dec.parameters()]
opt = torch.optim.Adam(params, 1e-3)
def encode(x):
    h = enc(x)
    return mu_(h), ls_(h).clamp(-4, 2).exp()
def kl_of(m, s):
    return 0.5 * (m ** 2 + s ** 2 - 1 - 2 * s.log()).sum(1).mean()
def rounds(step, n=60):
    for i in range(n):
        x = X[torch.randperm(400)[:50]]
        loss = step(x)
        opt.zero_grad()
        loss.backward()
        opt.step()
og = torch.optim.Adam(dec.parameters(), 1e-3)
oq = torch.optim.Adam([*enc.parameters(), *mu_.parameters(), *ls_.parameters()], 1e-3)
for i in range(60):
    x = X[torch.randperm(400)[:50]]
    m, s = encode(x)
    z = Normal(m, s).sample()
    og.zero_grad()
    F.mse_loss(dec(z), x).backward()
    og.step()
    z = torch.randn(50, 4)
    x = Normal(dec(z), 0.1).sample()
    m, s = encode(x)
    oq.zero_grad()
    (-Normal(m, s).log_prob(z).sum(1).mean()).backward()
    oq.step()
