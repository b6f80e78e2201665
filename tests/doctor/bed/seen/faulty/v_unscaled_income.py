# expect: unscaled_inputs @ 30
# allowed: unscaled_inputs @ 35
# allowed: unscaled_inputs @ 56
# allowed: unscaled_inputs @ 66
"""Kaggle kernel: customer segments from income, spending and age."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset
from sklearn.model_selection import train_test_split

SEED = 2024
np.random.seed(SEED)
torch.manual_seed(SEED)


def make_customers(n=1500):
    age = np.random.randint(18, 80, n)
    income = np.random.normal(48000, 15000, n).clip(8000)
    visits = np.random.poisson(6, n)
    rating = np.random.uniform(0, 1, n)
    z = 2.0 * (rating - 0.5) * 3 + 0.25 * (visits - 6) + (age - 48) / 20
    return pd.DataFrame({"age": age, "income": income, "visits": visits, "rating": rating,
                         "segment": pd.cut(z, [-99, -1, 1, 99], labels=False)})


df = make_customers()
y = df.pop("segment")
X_train, X_test, y_train, y_test = train_test_split(df, y, test_size=0.25, random_state=SEED, stratify=y)


class Customers(Dataset):
    def __init__(self, X, y):
        self.X = X.values.astype("float32")
        self.y = y.values.astype("int64")

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.X[i], self.y[i]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 64)
        self.fc2 = nn.Linear(64, 3)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        return self.fc2(self.drop(torch.relu(self.fc1(x))))


train_dl = DataLoader(Customers(X_train, y_train), batch_size=32, shuffle=True)
test_dl = DataLoader(Customers(X_test, y_test), batch_size=128)
model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(20):
    model.train()
    total = 0
    for xb, yb in train_dl:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 5 == 4:
        print(f"Epoch {epoch + 1}: loss = {total / len(train_dl):.4f}")

model.eval()
preds = []
with torch.no_grad():
    for xb, _ in test_dl:
        preds.append(model(xb).argmax(1))
print("test acc", (torch.cat(preds).numpy() == y_test.values).mean().round(3))
