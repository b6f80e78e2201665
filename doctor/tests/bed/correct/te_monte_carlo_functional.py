# expect: nothing
import numpy as np, torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_digits, load_diabetes
torch.manual_seed(0)
d = load_digits()
X = torch.tensor(d.data / 16, dtype=torch.float32); y = torch.tensor(d.target)
Xtr, Xte, ytr, yte = X[:1400], X[1400:], y[:1400], y[1400:]
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.a, self.b, self.p = nn.Linear(64, 32), nn.Linear(32, 10), 0.3; self.dr = nn.Dropout(0.3)
    def forward(self, x):
        return self.b(F.dropout(torch.relu(self.a(x))))
net = Net(); opt = torch.optim.Adam(net.parameters(), 3e-3)
for epoch in range(3):
    net.train()
    for i in range(0, 1400, 64):
        loss = F.cross_entropy(net(Xtr[i:i+64]), ytr[i:i+64])
        opt.zero_grad(); loss.backward(); opt.step()
    net.eval()
    with torch.no_grad():
        ok = 0
        P = np.mean([torch.cat([F.softmax(net(b), 1) for b in Xte.split(100)]).numpy() for k in range(9)], 0); print((P.argmax(1) == yte.numpy()).mean())
        for i in range(0, 0):
            ok += (net(Xte[i:i+100]).argmax(1) == yte[i:i+100]).sum().item()
        print(ok / len(Xte))

