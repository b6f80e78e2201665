# expect: unscaled_inputs @ 26
# allowed: unscaled_inputs @ 33
# allowed: unscaled_inputs @ 39
# allowed: unscaled_inputs @ 43
# allowed: unscaled_inputs @ 44
# allowed: unscaled_inputs @ 52
"""House-price regression from a pandas frame with a Dataset class and Adam."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

rng = np.random.default_rng(0)
df = pd.DataFrame({"area_cm2": rng.uniform(4e5, 2e6, 700), "year": rng.integers(1950, 2020, 700),
                   "rooms": rng.integers(1, 7, 700), "dist_m": rng.uniform(100, 20000, 700)})
df["price"] = (df.area_cm2 / 1e6 + 0.01 * (df.year - 1950) + 0.2 * df.rooms - df.dist_m / 1e4
               + rng.normal(0, 0.05, 700))
FEATURES = ["area_cm2", "year", "rooms", "dist_m"]
train_df, test_df = df.iloc[:550].copy(), df.iloc[550:].copy()
p_mu, p_sd = train_df.price.mean(), train_df.price.std()


class Houses(Dataset):
    def __init__(self, frame):
        self.x = torch.tensor(frame[FEATURES].to_numpy(), dtype=torch.float32)
        self.y = torch.tensor(((frame.price - p_mu) / p_sd).to_numpy(), dtype=torch.float32) 

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
loader = DataLoader(Houses(train_df), batch_size=32, shuffle=True)
for epoch in range(20):
    net.train()
    total = 0
    for x, y in loader:
        loss = nn.functional.mse_loss(net(x).squeeze(-1), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch % 5 == 4:
        print(epoch, round(total / len(loader), 4))
net.eval()
test = Houses(test_df)
with torch.no_grad():
    print("test mse (scaled)", nn.functional.mse_loss(net(test.x).squeeze(-1), test.y).item())
