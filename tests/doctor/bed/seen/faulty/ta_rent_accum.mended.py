# expect: nothing
"""Rent prediction notebook: made-up flats, small MLP, bf16 autocast and micro-batches."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split


class CFG:
    seed = 42
    epochs = 12
    micro_batch = 32
    accum = 4
    lr = 1e-2
    hidden = 48


torch.manual_seed(CFG.seed)
rng = np.random.default_rng(CFG.seed)

# %% data
n = 2400
df = pd.DataFrame({
    "area": rng.gamma(9, 8, n),
    "rooms": rng.integers(1, 6, n),
    "floor": rng.integers(0, 12, n),
    "age": rng.uniform(0, 90, n),
    "km_centre": rng.exponential(5, n),
    "balcony": rng.integers(0, 2, n),
})
df["rent"] = (
    250 + 9 * df.area + 40 * df.rooms - 2.5 * df.age + 60 * df.balcony
    + 500 * np.exp(-df.km_centre / 4) + rng.normal(0, 60, n)
)
features = ["area", "rooms", "floor", "age", "km_centre", "balcony"]
train_df, test_df = train_test_split(df, test_size=0.25, random_state=CFG.seed)

# %% scaling, from the training flats
mu, sd = train_df[features].mean(), train_df[features].std()
y_mu, y_sd = train_df.rent.mean(), train_df.rent.std()


def to_tensors(frame):
    x = torch.tensor(((frame[features] - mu) / sd).to_numpy(), dtype=torch.float32)
    y = torch.tensor(((frame.rent - y_mu) / y_sd).to_numpy(), dtype=torch.float32)
    return x, y


x_train, y_train = to_tensors(train_df)
x_test, y_test = to_tensors(test_df)
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(x_train, y_train), batch_size=CFG.micro_batch, shuffle=True, drop_last=True
)

# %% model
model = nn.Sequential(nn.Linear(6, CFG.hidden), nn.SiLU(), nn.Linear(CFG.hidden, CFG.hidden), nn.SiLU(), nn.Linear(CFG.hidden, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=CFG.lr, weight_decay=1e-4)
updates = CFG.epochs * (len(loader) // CFG.accum)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=updates)

# %% train
for epoch in range(CFG.epochs):
    model.train()
    running = 0.0
    optimizer.zero_grad()
    for step, (xb, yb) in enumerate(loader):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            pred = model(xb).squeeze(1)
        loss = nn.functional.mse_loss(pred.float(), yb) / CFG.accum
        loss.backward()
        running += loss.item() * CFG.accum
        if (step + 1) % CFG.accum == 0:
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1}: train mse {running / len(loader):.3f}")

# %% evaluate
model.eval()
with torch.no_grad():
    pred = model(x_test).squeeze(1) * y_sd + y_mu
print(f"test R2 {r2_score(test_df.rent, pred.numpy()):.3f}")
