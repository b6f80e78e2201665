# expect: scheduler_misuse @ 20
# mend: 26 +     decay.step()
"""A decay that nobody steps."""
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
x, y = load_wine(return_X_y=True)
xa, xb, ya, yb = train_test_split(x, y, test_size=0.3, stratify=y, random_state=0)
s = StandardScaler().fit(xa)
xa, xb = (torch.tensor(s.transform(t), dtype=torch.float32) for t in (xa, xb))
ya, yb = torch.tensor(ya), torch.tensor(yb)
EPOCHS = 20
net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
decay = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.97)
for epoch in range(EPOCHS):
    for idx in torch.randperm(len(xa)).split(32):
        opt.zero_grad()
        loss = F.cross_entropy(net(xa[idx]), ya[idx])
        loss.backward()
        opt.step()
with torch.no_grad():
    print((net(xb).argmax(1) == yb).float().mean().item())
