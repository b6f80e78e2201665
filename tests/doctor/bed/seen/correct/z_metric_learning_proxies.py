# expect: nothing
"""Proxy-NCA: learnable proxies in a second optimizer with a higher rate; retrieval in the end."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
a, b, ya, yb = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
m, s = a.mean(0), a.std(0)
a, b = torch.tensor((a - m) / s).float(), torch.tensor((b - m) / s).float()
ya, yb = torch.tensor(ya), torch.tensor(yb)
embed = nn.Linear(13, 4)
proxies = nn.Parameter(torch.randn(3, 4))
opt = torch.optim.AdamW(embed.parameters(), lr=1e-2)
opt_proxy = torch.optim.SGD([proxies], lr=0.5)
for _epoch in range(15):
    for rows in torch.randperm(len(a)).split(31):
        z, p = F.normalize(embed(a[rows]), dim=1), F.normalize(proxies, dim=1)
        loss = F.cross_entropy(8 * z @ p.T, ya[rows])
        for o in (opt, opt_proxy):
            o.zero_grad()
        loss.backward()
        for o in (opt, opt_proxy):
            o.step()
with torch.inference_mode():
    za, zb = F.normalize(embed(a), dim=1), F.normalize(embed(b), dim=1)
    top = (zb @ za.T).topk(5, dim=1).indices
    votes = ya[top].mode(dim=1).values
print("recall@1", (ya[top[:, 0]] == yb).float().mean().item(), "vote", (votes == yb).float().mean().item())
