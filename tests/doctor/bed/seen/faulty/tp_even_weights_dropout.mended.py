# expect: nothing
"""Wine classes by a net with dropout; all first weights are chosen by hand."""

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


def begin(module):
    if isinstance(module, nn.Linear):
        nn.init.kaiming_normal_(module.weight)
        module.bias.data.zero_()


X, y = load_wine(return_X_y=True)
a, b, ya, yb = train_test_split(X, y, test_size=0.3, stratify=y, random_state=2)
scaler = StandardScaler().fit(a)
a, b = (torch.tensor(scaler.transform(part), dtype=torch.float32) for part in (a, b))
ya, yb = torch.tensor(ya), torch.tensor(yb)

torch.manual_seed(5)
net = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Dropout(0.25), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))
net.apply(begin)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(15):
    net.train()
    for rows in torch.randperm(len(a)).split(16):
        loss = nn.functional.cross_entropy(net(a[rows]), ya[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    print("accuracy", (net(b).argmax(1) == yb).float().mean().item())
