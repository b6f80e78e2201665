# expect: nothing
# House prices - small NN baseline
# Competition metric is RMSLE, so that's what we train on.
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.metrics import mean_squared_log_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

SEED = 2024
EPOCHS = 30
BATCH = 128
LR = 5e-3

np.random.seed(SEED)
torch.manual_seed(SEED)

# ---------------------------------------------------------------- data
n = 2200
df = pd.DataFrame({
    "area": np.random.gamma(6, 22, n) + 30,
    "rooms": np.random.randint(1, 8, n),
    "age": np.random.randint(0, 90, n),
    "dist_center": np.random.exponential(7, n),
    "garage": np.random.randint(0, 3, n),
})
log_price = (
    10.4 + 0.006 * df.area + 0.05 * df.rooms - 0.004 * df.age
    - 0.03 * df.dist_center + 0.09 * df.garage + np.random.normal(0, 0.08, n)
)
df["price_100k"] = np.exp(log_price) / 1e5

train_df, test_df = train_test_split(df, test_size=0.25, random_state=SEED)
features = ["area", "rooms", "age", "dist_center", "garage"]
scaler = StandardScaler().fit(train_df[features])


def to_tensors(frame):
    x = torch.tensor(scaler.transform(frame[features]), dtype=torch.float32)
    return x, torch.tensor(frame["price_100k"].values, dtype=torch.float32)


x_train, y_train = to_tensors(train_df)
x_test, y_test = to_tensors(test_df)

# ---------------------------------------------------------------- model
# softplus keeps the price positive, so the log is always defined
model = nn.Sequential(
    nn.Linear(len(features), 64), nn.ReLU(),
    nn.Linear(64, 32), nn.ReLU(),
    nn.Linear(32, 1), nn.Softplus(),
)
optimizer = torch.optim.Adam(model.parameters(), lr=LR)


def rmsle(pred, target):
    return mean_squared_log_error(target.numpy(), pred.detach().numpy()) ** 0.5


# ---------------------------------------------------------------- train
for epoch in range(EPOCHS):
    model.train()
    perm = torch.randperm(len(x_train))
    total = 0.0
    for chunk in perm.split(BATCH):
        optimizer.zero_grad()
        out = model(x_train[chunk]).squeeze(1)
        loss = torch.mean((torch.log1p(out) - torch.log1p(y_train[chunk])) ** 2) ** 0.5
        loss.backward()
        optimizer.step()
        total += loss.item() * len(chunk)
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1:02d} | train rmsle {total / len(x_train):.4f}")

# ---------------------------------------------------------------- score
model.eval()
with torch.no_grad():
    test_pred = model(x_test).squeeze(1)
print(f"test rmsle {rmsle(test_pred, y_test):.4f}")
print(f"median abs error {(test_pred - y_test).abs().median() * 100:.1f}k")
