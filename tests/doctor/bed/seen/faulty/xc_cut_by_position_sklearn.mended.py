# expect: nothing
import numpy as np, torch
from sklearn.datasets import load_wine
from sklearn.metrics import accuracy_score
from torch import nn
torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
order = np.random.default_rng(0).permutation(len(X))
X, y = X[order], y[order]
n = 134
mu, sd = X[:n].mean(0), X[:n].std(0)
Xt = torch.tensor((X - mu) / sd, dtype=torch.float32); yt = torch.tensor(y)
net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
x_train, x_test, y_train, y_test = Xt[:n], Xt[n:], yt[:n], y[n:]
for e in range(20):
    for i in torch.randperm(n).split(16):
        opt.zero_grad(); loss = nn.functional.cross_entropy(net(x_train[i]), y_train[i]); loss.backward(); opt.step()
net.eval()
with torch.no_grad():
    pred = net(x_test).argmax(1)
print(accuracy_score(y_test, pred))
