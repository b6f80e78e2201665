# missed: nan_inputs @ 19
# mend: 19 →         part = (part - part.mean(0)) / (part.std(0, correction=0) + 1e-3)
"""Wine, each batch standardised by itself."""
import torch
from torch import nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X = X.astype("float32")
Xa, Xb, ya, yb = train_test_split(X, y, random_state=0, stratify=y)
mu, sd = Xa.mean(0), Xa.std(0)
Xa, Xb = (Xa - mu) / sd, (Xb - mu) / sd
def batches(x, y, size):
    order = torch.randperm(len(x))
    x, y = torch.tensor(x), torch.tensor(y)
    for i in range(0, len(x), size):
        part = x[order[i:i+size]]
        part = (part - part.mean(0)) / part.std(0)
        yield part, y[order[i:i+size]]
net = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.Adam(net.parameters(), 0.01)
for epoch in range(10):
    for xb, yb_ in batches(Xa, ya, 12):
        loss = nn.functional.cross_entropy(net(xb), yb_)
        opt.zero_grad(); loss.backward(); opt.step()
    print(epoch, loss.item())
