# expect: exploding_sum_loss @ 31
# allowed: lr_too_high @ 30
# allowed: exploding_sum_loss @ 40
# allowed: non_finite_loss @ 40
# mend: 31 → criterion = lambda out, target: F.mse_loss(out, target)
"""California-like house prices regressed by an MLP (notebook turned into a script)."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# %% data
rng = np.random.default_rng(5)
n = 1600
rooms = rng.gamma(5, 1.1, n)
age = rng.uniform(1, 50, n)
dist = rng.exponential(8, n)
income = rng.lognormal(1.2, 0.4, n)
price = 40 + 12 * rooms * np.log(income + 1) - 1.1 * dist - 0.3 * age + rng.normal(0, 4, n)
X = np.stack([rooms, age, dist, income], 1).astype("float32")
order = rng.permutation(n)
tr, te = order[:1200], order[1200:]
mu, sd = X[tr].mean(0), X[tr].std(0)
X = torch.from_numpy((X - mu) / sd)
y = torch.tensor((price - price[tr].mean()) / price[tr].std(), dtype=torch.float32).unsqueeze(1)

# %% model
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
criterion = lambda out, target: F.mse_loss(out, target, reduction="sum")

# %% training
for epoch in range(25):
    model.train()
    perm = np.random.default_rng(epoch).permutation(tr)
    for start in range(0, len(perm), 100):
        b = torch.from_numpy(perm[start:start + 100])
        opt.zero_grad()
        loss = criterion(model(X[b]), y[b])
        loss.backward()
        opt.step()
    if epoch % 6 == 0:
        print(epoch, "last batch loss", round(loss.item(), 4))

# %% evaluation
model.eval()
with torch.no_grad():
    rmse = F.mse_loss(model(X[te]), y[te]).sqrt()
print("test rmse (std units):", round(rmse.item(), 4))
