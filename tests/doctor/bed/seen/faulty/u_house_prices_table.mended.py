# expect: nothing
"""House prices of an invented coast: a regression network on a table of districts."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make_table(n, rng):
    income = rng.gamma(4.0, 1.0, n)
    rooms = rng.normal(5.4, 1.1, n)
    age = rng.uniform(1, 52, n)
    sea = rng.exponential(20.0, n)
    crowd = rng.normal(3.0, 0.6, n)
    price = 0.45 * income + 0.25 * rooms - 0.012 * age + 1.2 * np.exp(-sea / 15) - 0.2 * crowd
    price += rng.normal(0, 0.3, n)
    return pd.DataFrame(dict(income=income, rooms=rooms, age=age, sea=sea, crowd=crowd, price=price))


rng = np.random.default_rng(8)
torch.manual_seed(8)
df = make_table(1000, rng)

features = df.drop(columns="price")
target = df["price"].to_numpy()

scaler = StandardScaler()
X_train, X_test, y_train, y_test = train_test_split(features, target, test_size=0.2, random_state=8)
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)

offset = y_train.mean()
train_data = TensorDataset(
    torch.tensor(X_train, dtype=torch.float32),
    torch.tensor(y_train - offset, dtype=torch.float32).unsqueeze(1),
)
loader = DataLoader(train_data, batch_size=64, shuffle=True)

model = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
loss_fn = nn.SmoothL1Loss()

for epoch in range(20):
    model.train()
    running = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(x)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:2d} loss {running / len(train_data):.4f}")

model.eval()
with torch.no_grad():
    prediction = model(torch.tensor(X_test, dtype=torch.float32)).squeeze(1).numpy() + offset
residual = prediction - y_test
print(f"test MAE {np.abs(residual).mean():.3f}")
print(f"test R2 {1 - (residual ** 2).sum() / ((y_test - y_test.mean()) ** 2).sum():.3f}")
