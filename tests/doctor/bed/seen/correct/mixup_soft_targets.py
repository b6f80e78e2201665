# expect: nothing
# looks suspicious: cross_entropy receives float targets of shape [B, C], and inputs are blends of rows with
# different labels: mixup with probability targets.
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16).float(), torch.tensor(y)
g = torch.Generator().manual_seed(0)
perm = torch.randperm(len(y), generator=g)
train, val = perm[:1400], perm[1400:]
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.AdamW(model.parameters(), lr=5e-3)
beta = torch.distributions.Beta(0.4, 0.4)

for epoch in range(6):
    model.train()
    for rows in train[torch.randperm(len(train))].split(70):
        partner = rows[torch.randperm(len(rows))]
        lam = beta.sample()
        xb = lam * x[rows] + (1 - lam) * x[partner]
        tb = lam * F.one_hot(y[rows], 10).float() + (1 - lam) * F.one_hot(y[partner], 10).float()
        loss = F.cross_entropy(model(xb), tb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        logits = model(x[val])
        print(
            f"{epoch} mixup loss {loss.item():.4f} val loss {F.cross_entropy(logits, y[val]).item():.4f} "
            f"acc {(logits.argmax(1) == y[val]).float().mean().item():.4f}"
        )
