# expect: scaler_leakage @ 19
"""Log wages from a made-up survey (Mincer equation with a small net), standardised covariates."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(21)
rng = np.random.default_rng(21)
n = 900
school = rng.integers(8, 21, n)
exper = rng.gamma(3.0, 5.0, n)
tenure = np.minimum(exper, rng.exponential(6.0, n))
union = rng.integers(0, 2, n)
log_wage = 0.8 + 0.09 * school + 0.045 * exper - 0.0007 * exper**2 + 0.01 * tenure + 0.12 * union + 0.2 * rng.standard_normal(n)
covariates = np.column_stack([school, exper, tenure, union])

covariates = StandardScaler().fit_transform(covariates)
z_tr, z_te, w_tr, w_te = train_test_split(covariates, log_wage, test_size=0.3, random_state=21)
level, scale = w_tr.mean(), w_tr.std()
z_tr, z_te = torch.tensor(z_tr, dtype=torch.float32), torch.tensor(z_te, dtype=torch.float32)
w_tr, w_te = (torch.tensor((w - level) / scale, dtype=torch.float32) for w in (w_tr, w_te))

net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1), nn.Flatten(0))
opt = torch.optim.AdamW(net.parameters(), lr=1e-2)
mse = nn.MSELoss()
for epoch in range(40):
    for rows in torch.randperm(len(z_tr)).split(64):
        opt.zero_grad()
        loss = mse(net(z_tr[rows]), w_tr[rows])
        loss.backward()
        opt.step()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1}: last batch mse {loss.item():.3f}")

net.eval()
with torch.no_grad():
    r2 = 1 - mse(net(z_te), w_te).item() / w_te.var(unbiased=False).item()
print(f"out-of-sample R2 {r2:.3f}")
