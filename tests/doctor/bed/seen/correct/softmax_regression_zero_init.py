# expect: nothing
# looks suspicious: every weight starts at zero: with a single layer the problem is convex and classes get
# different gradients at once, so there is no symmetry to break.
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
ds = TensorDataset(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y))
train, test = random_split(ds, [1400, 397])
W = torch.zeros(64, 10, requires_grad=True)
b = torch.zeros(10, requires_grad=True)
opt = torch.optim.SGD([W, b], lr=0.5)
for epoch in range(6):
    for xb, yb in DataLoader(train, 50, shuffle=True):
        loss = F.cross_entropy(xb @ W + b, yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    right = sum(((xb @ W + b).argmax(1) == yb).sum().item() for xb, yb in DataLoader(test, 100))
print("accuracy", right / len(test))
