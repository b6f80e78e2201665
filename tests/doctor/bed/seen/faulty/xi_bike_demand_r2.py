# expect: graph_kept_alive @ 74
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(0)
rng = np.random.default_rng(0)

# hourly rentals: weather columns + hour of the day as a category
N = 3000
hours = rng.integers(0, 24, N)
df = pd.DataFrame({
    "temp": rng.normal(15, 8, N),
    "hum": rng.uniform(20, 100, N),
    "wind": rng.gamma(2.0, 5.0, N),
})
peak = np.exp(-((hours - 8) ** 2) / 4) + 1.4 * np.exp(-((hours - 18) ** 2) / 6)
df["cnt"] = 60 + 200 * peak + 4 * df.temp - 0.6 * df.hum - 1.1 * df.wind + rng.normal(0, 15, N)

order = rng.permutation(N)
tr, va = order[:2400], order[2400:]
num = ["temp", "hum", "wind"]
xs = StandardScaler().fit(df.loc[tr, num])
ys = StandardScaler().fit(df.loc[tr, ["cnt"]])
full = TensorDataset(
    torch.tensor(hours),
    torch.tensor(xs.transform(df[num]), dtype=torch.float32),
    torch.tensor(ys.transform(df[["cnt"]]), dtype=torch.float32),
)
train_dl = DataLoader(Subset(full, tr.tolist()), batch_size=64, shuffle=True)
valid_dl = DataLoader(Subset(full, va.tolist()), batch_size=200)


class BikeNet(nn.Module):
    def __init__(self, n_num, emb=4, hidden=48):
        super().__init__()
        self.hour = nn.Embedding(24, emb)
        self.body = nn.Sequential(nn.Linear(n_num + emb, hidden), nn.ReLU(),
                                  nn.Linear(hidden, hidden), nn.ReLU(),
                                  nn.Linear(hidden, 1))

    def forward(self, h, x):
        return self.body(torch.cat([self.hour(h), x], dim=1))


net = BikeNet(len(num))
opt = torch.optim.AdamW(net.parameters(), lr=4e-3)


@torch.no_grad()
def validate():
    net.eval()
    out, tgt = [], []
    for h, x, y in valid_dl:
        out.append(net(h, x))
        tgt.append(y)
    net.train()
    return r2_score(torch.cat(tgt).numpy(), torch.cat(out).numpy())


for epoch in range(9):
    preds, targets = [], []
    for h, x, y in train_dl:
        out = net(h, x)
        loss = F.mse_loss(out, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        preds.append(out)
        targets.append(y)
    train_r2 = r2_score(torch.cat(targets).numpy(), torch.cat(preds).detach().numpy())
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1:02d} train r2 {train_r2:.3f} valid r2 {validate():.3f}")
