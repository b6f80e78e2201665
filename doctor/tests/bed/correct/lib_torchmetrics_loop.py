# expect: nothing
# needs: torchmetrics
"""Wines, and two metrics of torchmetrics."""

import torch, torchmetrics
from torch import nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
a, b, c, d = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
s = StandardScaler().fit(a)
f = lambda u, v: TensorDataset(torch.tensor(s.transform(u), dtype=torch.float32), torch.tensor(v))
dl, vl = DataLoader(f(a, c), 16, shuffle=True), DataLoader(f(b, d), 32)
net = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
crit = nn.CrossEntropyLoss()
m = torchmetrics.MetricCollection(
    {
        "acc": torchmetrics.classification.MulticlassAccuracy(3),
        "f1": torchmetrics.classification.MulticlassF1Score(3),
    }
)
tm = m.clone("train_")
vm = m.clone("val_")
for epoch in range(15):
    net.train()
    for xb, yb in dl:
        out = net(xb)
        loss = crit(out, yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        tm.update(out, yb)
    net.eval()
    with torch.inference_mode():
        for xb, yb in vl:
            vm.update(net(xb), yb)
    print(epoch, {k: v.item() for k, v in (tm.compute() | vm.compute()).items()})
    tm.reset()
    vm.reset()
