# expect: nothing
# looks suspicious: along the rows the best entry of each class is asked for: the most typical flower of each
# kind is shown. The softmax over the rows gives each class's mean, weighed by how sure the net is.
import torch
import torch.nn.functional as F
from sklearn.datasets import load_iris
from torch import nn

torch.manual_seed(2)
flowers = load_iris()
x, y = torch.tensor(flowers.data, dtype=torch.float32), torch.tensor(flowers.target)
x = (x - x.mean(0)) / x.std(0)
smooth = torch.eye(3)[y] * 0.9 + 0.1 / 3
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for step in range(150):
    rows = torch.randperm(150)[:50]
    loss = -(smooth[rows] * F.log_softmax(net(x[rows]), dim=1)).sum(1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
net.eval()
with torch.no_grad():
    logits = net(x)
    typical = logits.argmax(0)
    middle = logits.softmax(0).T @ x
print(f"loss {loss.item():.3f}; most typical: {typical.tolist()}")
print("share of each kind found:", [(logits.argmax(1)[y == k] == k).float().mean().item() for k in range(3)])
print("middle of the first kind:", [round(v, 2) for v in middle[0].tolist()])
