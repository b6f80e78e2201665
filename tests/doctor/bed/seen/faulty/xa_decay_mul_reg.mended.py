# expect: nothing
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits, make_regression, load_diabetes
from sklearn.preprocessing import StandardScaler
from sklearn.model_selection import train_test_split
from torch.utils.data import TensorDataset, DataLoader
torch.manual_seed(1)
REG = 1
if REG:
    x, y = load_diabetes(return_X_y=True)
    y = y[:, None]
else:
    x, y = load_digits(return_X_y=True)
xa, xb, ya, yb = train_test_split(x, y, test_size=0.25, random_state=0)
s = StandardScaler().fit(xa)
xa, xb = (torch.tensor(s.transform(v), dtype=torch.float32) for v in (xa, xb))
if REG:
    t = StandardScaler().fit(ya)
    ya, yb = (torch.tensor(t.transform(v), dtype=torch.float32) for v in (ya, yb))
else:
    ya, yb = torch.tensor(ya), torch.tensor(yb)
D, C = xa.shape[1], 1 if REG else 10
crit = nn.MSELoss() if REG else nn.CrossEntropyLoss()
net = nn.Sequential(nn.Linear(D, 48), nn.ReLU(), nn.Linear(48, C))
WD = 1e-05
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
loader = DataLoader(TensorDataset(xa, ya), batch_size=32, shuffle=True)
for epoch in range(15):
    net.train()
    total = 0.0
    for a, b in loader:
        loss = crit(net(a), b)
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            for p in net.parameters():
                p.mul_(1 - WD)
        total += loss.item() * len(a)
    net.eval()
    with torch.no_grad():
        out = net(xb)
        held = crit(out, yb).item()
    print(epoch, total / len(xa), held)
