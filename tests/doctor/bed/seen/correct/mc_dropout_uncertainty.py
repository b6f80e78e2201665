# expect: nothing
# looks suspicious: at test time the network is in train mode under no_grad and is run thirty times: Monte-
# Carlo dropout measures its uncertainty; the accuracy itself is taken in eval mode.
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=0.25, random_state=0)
train = TensorDataset(torch.tensor(X_train, dtype=torch.float32), torch.tensor(y_train))
X_test, y_test = torch.tensor(X_test, dtype=torch.float32), torch.tensor(y_test)

net = nn.Sequential(
    nn.Linear(64, 100),
    nn.ReLU(),
    nn.Dropout(0.3),
    nn.Linear(100, 50),
    nn.ReLU(),
    nn.Dropout(0.3),
    nn.Linear(50, 10),
)
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for _epoch in range(8):
    net.train()
    for xb, yb in DataLoader(train, batch_size=64, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
print("last loss", loss.item())

net.eval()
with torch.no_grad():
    point = net(X_test).argmax(1)
print("accuracy", (point == y_test).float().mean().item())

for m in net.modules():
    if isinstance(m, nn.Dropout):
        m.train()
with torch.no_grad():
    draws = torch.stack([net(X_test).softmax(-1) for _ in range(30)])
mean = draws.mean(0)
entropy = -(mean * mean.clamp_min(1e-9).log()).sum(-1)
right = point == y_test
print("entropy where right", entropy[right].mean().item(), "where wrong", entropy[~right].mean().item())

net.train()
with torch.no_grad():
    spread = torch.stack([net(X_test[:50]).softmax(-1) for _ in range(30)]).std(0).mean().item()
print("spread over draws", spread)
