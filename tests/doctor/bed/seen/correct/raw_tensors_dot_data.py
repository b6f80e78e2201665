# expect: nothing
# looks suspicious: the old `.data` style: weights are changed through .data (no version is counted) and
# `.grad.data.zero_()` clears; an explicit L2 term is added to the loss.
import torch
from sklearn.datasets import load_diabetes

torch.manual_seed(0)
data = load_diabetes()
idx = torch.randperm(442)
X = torch.tensor(data.data, dtype=torch.float32) * 442**0.5
y = torch.tensor(data.target, dtype=torch.float32)
tr, te = idx[:340], idx[340:]
mu, sd = y[tr].mean(), y[tr].std()
t = (y - mu) / sd

W = torch.zeros(10, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr, l2 = 0.1, 1e-3

for epoch in range(20):
    shuffled = tr[torch.randperm(len(tr))]
    for k in range(0, len(tr), 34):
        rows = shuffled[k : k + 34]
        pred = X[rows].mv(W) + b
        loss = ((pred - t[rows]) ** 2).mean() + l2 * W.pow(2).sum()
        loss.backward()
        W.data.sub_(lr * W.grad.data)
        b.data.sub_(lr * b.grad.data)
        W.grad.data.zero_()
        b.grad.data.zero_()
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d} loss {loss.item():.4f}")

with torch.no_grad():
    rmse = (((X[te].mv(W) + b) * sd + mu - y[te]) ** 2).mean().sqrt()
print(f"test rmse {rmse.item():.2f}")
