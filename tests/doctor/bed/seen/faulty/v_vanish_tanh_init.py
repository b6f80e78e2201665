# expect: vanishing_gradient @ 32
# allowed: vanishing_gradient @ 45
# allowed: vanishing_gradient @ 50
"""Course notebook: deep tanh regression net on synthetic house prices with a custom weight init."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(7)
torch.manual_seed(7)

# --- data ---
n = 1000
area = rng.uniform(40, 250, n)
rooms = rng.integers(1, 7, n)
dist = rng.uniform(0, 30, n)
price = 2.1 * area + 15 * rooms - 4 * dist + rng.normal(0, 10, n)
X = np.c_[area, rooms, dist]
perm = rng.permutation(n)
tr, va = perm[:800], perm[800:]
sx = StandardScaler().fit(X[tr])
sy = StandardScaler().fit(price[tr, None])
Xt = torch.tensor(sx.transform(X), dtype=torch.float32)
yt = torch.tensor(sy.transform(price[:, None]), dtype=torch.float32)


# --- model ---
def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, mean=0.0, std=0.01)
        nn.init.zeros_(m.bias)


class Regressor(nn.Module):
    def __init__(self, width=40, depth=6):
        super().__init__()
        dims = [3] + [width] * depth
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(dims[:-1], dims[1:]))
        self.out = nn.Linear(width, 1)

    def forward(self, x):
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return self.out(x)


model = Regressor()
model.apply(init_weights)
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)

# --- training ---
for epoch in range(15):
    model.train()
    order = torch.randperm(len(tr))
    losses = []
    for i in range(0, len(tr), 32):
        idx = torch.as_tensor(tr)[order[i:i + 32]]
        optimizer.zero_grad()
        loss = F.mse_loss(model(Xt[idx]), yt[idx])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 3 == 2:
        model.eval()
        with torch.inference_mode():
            val = F.mse_loss(model(Xt[va]), yt[va]).item()
        print(f"epoch {epoch + 1}: train {np.mean(losses):.4f} val {val:.4f}")
