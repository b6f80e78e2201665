# expect: nothing
"""Rare mineral against common rock in noisy Raman-like spectra; the rare class is oversampled with small noise."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split

torch.manual_seed(4)
rng = np.random.default_rng(4)
axis = np.linspace(0, 1, 60)


def spectrum(kind):
    base = np.exp(-((axis - 0.4) / 0.05) ** 2) + (0.9 * np.exp(-((axis - 0.7) / 0.04) ** 2) if kind else 0)
    return base + 0.6 * rng.standard_normal(axis.size)


kinds = np.r_[np.zeros(400, int), np.ones(80, int)]
spectra = np.stack([spectrum(k) for k in kinds])


def oversample(S, k, copies=4):
    rare = np.repeat(S[k == 1], copies, axis=0)
    rare = rare + 0.02 * rng.standard_normal(rare.shape)
    return np.r_[S, rare], np.r_[k, np.ones(len(rare), int)]


s_tr, s_te, k_tr, k_te = train_test_split(spectra, kinds, test_size=0.3, stratify=kinds, random_state=4)
s_tr, k_tr = oversample(s_tr, k_tr)
m, s = s_tr.mean(0), s_tr.std(0)
s_tr, s_te = (torch.tensor((a - m) / s, dtype=torch.float32) for a in (s_tr, s_te))
k_tr, k_te = torch.tensor(k_tr), torch.tensor(k_te)

net = nn.Sequential(nn.Linear(60, 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.Adam(net.parameters(), lr=2e-3, weight_decay=1e-3)
for epoch in range(25):
    for b in torch.randperm(len(s_tr)).split(32):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(s_tr[b]), k_tr[b])
        loss.backward()
        opt.step()

net.eval()
with torch.no_grad():
    call = net(s_te).argmax(1)
recall = [(call[k_te == c] == c).float().mean().item() for c in (0, 1)]
print(f"rock recalled {recall[0]:.3f}, mineral recalled {recall[1]:.3f}, balanced {np.mean(recall):.3f}")
