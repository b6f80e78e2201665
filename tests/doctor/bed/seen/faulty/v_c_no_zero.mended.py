# expect: nothing
"""Taxi-fare notebook: categorical embeddings plus continuous columns, training in one cell."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn

np.random.seed(33)
torch.manual_seed(33)
df = pd.DataFrame({"hour": np.random.randint(0, 24, 1500), "weekday": np.random.randint(0, 7, 1500),
                   "dist_km": np.random.gamma(2, 3, 1500), "passengers": np.random.randint(1, 5, 1500)})
df["fare"] = 2.5 + 1.6 * df.dist_km + 2 * df.hour.isin([7, 8, 17, 18]) + np.random.randn(1500) * 0.8

cat_cols, cont_cols = ["hour", "weekday"], ["dist_km", "passengers"]
cut = 1200
cats = torch.tensor(df[cat_cols].values, dtype=torch.int64)
mu, sd = df.loc[:cut - 1, cont_cols].mean(), df.loc[:cut - 1, cont_cols].std()
conts = torch.tensor(((df[cont_cols] - mu) / sd).values, dtype=torch.float32)
fmu, fsd = df.fare[:cut].mean(), df.fare[:cut].std()
y = torch.tensor(((df.fare - fmu) / fsd).values, dtype=torch.float32).reshape(-1, 1)


class TabularModel(nn.Module):
    def __init__(self, sizes, n_cont, hidden=50):
        super().__init__()
        self.embeds = nn.ModuleList([nn.Embedding(a, b) for a, b in sizes])
        self.layers = nn.Sequential(nn.Linear(sum(b for _, b in sizes) + n_cont, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, c, x):
        e = [emb(c[:, i]) for i, emb in enumerate(self.embeds)]
        return self.layers(torch.cat(e + [x], dim=1))


model = TabularModel([(24, 6), (7, 3)], len(cont_cols))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)

losses = []
for epoch in range(15):
    model.train()
    for idx in torch.randperm(cut).split(50):
        y_pred = model(cats[idx], conts[idx])
        loss = torch.sqrt(criterion(y_pred, y[idx]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} RMSE {np.mean(losses[-24:]):.4f}")

model.eval()
with torch.no_grad():
    print("test RMSE", round(torch.sqrt(criterion(model(cats[cut:], conts[cut:]), y[cut:])).item(), 4))
