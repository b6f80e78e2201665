# expect: nothing
"""Contrastive (NT-Xent) pretraining on noisy views of digits, then a linear probe on detached features."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(9)
dat = load_digits()
mix = torch.randperm(len(dat.target))
X, y = (torch.tensor(dat.data).float() / 16)[mix], torch.tensor(dat.target)[mix]
encoder = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 48))
projector = nn.Sequential(nn.ReLU(), nn.Linear(48, 24))
opt = torch.optim.Adam([*encoder.parameters(), *projector.parameters()], lr=2e-3)
view = lambda v: v * (torch.rand_like(v) > 0.2) + 0.1 * torch.randn_like(v)
for epoch in range(8):
    encoder.train()
    for idx in torch.randperm(1400).split(100):
        za = F.normalize(projector(encoder(view(X[idx]))), dim=1)
        zb = F.normalize(projector(encoder(view(X[idx]))), dim=1)
        sim = za @ zb.t() / 0.2
        goal = torch.arange(len(idx))
        loss = (F.cross_entropy(sim, goal) + F.cross_entropy(sim.t(), goal)) / 2
        opt.zero_grad()
        loss.backward()
        opt.step()
print("contrastive loss", loss.item())
encoder.eval()
with torch.no_grad():
    feats = encoder(X)
feats = (feats - feats[:1400].mean(0)) / feats[:1400].std(0)
probe = nn.Linear(48, 10)
probe_opt = torch.optim.Adam(probe.parameters(), lr=1e-2)
for epoch in range(15):
    for idx in torch.randperm(1400).split(100):
        probe_opt.zero_grad()
        F.cross_entropy(probe(feats[idx]), y[idx]).backward()
        probe_opt.step()
with torch.no_grad():
    print("probe acc", (probe(feats[1400:]).argmax(1) == y[1400:]).float().mean().item())
