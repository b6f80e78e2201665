# expect: nothing
import numpy as np, torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_digits, load_diabetes
torch.manual_seed(0)
d = load_diabetes()
X = torch.tensor(d.data * 20, dtype=torch.float32); y = torch.tensor((d.target - 152) / 77, dtype=torch.float32)
Xtr, Xte, ytr, yte = X[:350], X[350:], y[:350], y[350:]
net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1)); opt = torch.optim.Adam(net.parameters(), 3e-3)
for epoch in range(3):
    net.train()
    for i in range(0, 350, 32):
        loss = F.mse_loss(net(Xtr[i:i+32]).squeeze(1), ytr[i:i+32])
        opt.zero_grad(); loss.backward(); opt.step()
net.eval()
with torch.no_grad():
    p = net(Xte).numpy(); t = yte.numpy(); p = p.reshape(-1)
    print(np.abs(p - t).mean())
