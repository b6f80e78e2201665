# expect: nothing
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(2)
X, y = load_diabetes(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.25, random_state=2)
ex, ey = StandardScaler().fit(X_tr), StandardScaler().fit(y_tr.reshape(-1, 1))
f = lambda a: torch.tensor(a, dtype=torch.float32)
X_tr, X_te = f(ex.transform(X_tr)), f(ex.transform(X_te))
y_tr, y_te = f(ey.transform(y_tr.reshape(-1, 1))), f(ey.transform(y_te.reshape(-1, 1)))

red = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.SGD(red.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
perdida = nn.MSELoss()
for epoca in range(60):
    red.train()
    opt.zero_grad()
    e = perdida(red(X_tr), y_tr)
    e.backward()
    opt.step()
    if epoca % 20 == 19:
        print(epoca + 1, round(e.item(), 4))
red.eval()
with torch.no_grad():
    print("error de prueba", round(perdida(red(X_te), y_te).item(), 4))
