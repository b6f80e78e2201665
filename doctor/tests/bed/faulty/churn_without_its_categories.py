# expect: features_lost @ 29
# needs: pandas
# mend: 26 → frame = pd.get_dummies(frame, columns=["contract", "payment"], drop_first=True, dtype=float)
"""Dummies are true or false since pandas 2.0, and the choice of numbers leaves them out."""

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng, n = np.random.RandomState(0), 700
torch.manual_seed(0)
frame = pd.DataFrame(
    {
        "tenure": rng.randint(1, 72, n),
        "charges": rng.uniform(18, 120, n).round(2),
        "contract": rng.choice(["monthly", "one year", "two years"], n),
        "payment": rng.choice(["card", "check"], n),
    }
)
monthly = frame["contract"] == "monthly"
frame["churn"] = (rng.rand(n) < np.where(monthly, 0.8, 0.2) - 0.1 * (frame["payment"] == "card")).astype(int)
frame = pd.get_dummies(frame, columns=["contract", "payment"], drop_first=True)
print(frame.head())

frame = frame.select_dtypes(include=[np.number])
features, target = frame.drop("churn", axis=1).values, frame["churn"].values
x_train, x_test, y_train, y_test = train_test_split(features, target, test_size=0.25, random_state=0)
scaler = StandardScaler()
x_train, x_test = scaler.fit_transform(x_train), scaler.transform(x_test)
train = TensorDataset(torch.tensor(x_train, dtype=torch.float32), torch.tensor(y_train))
model = nn.Sequential(nn.Linear(x_train.shape[1], 16), nn.ReLU(), nn.Linear(16, 2))
criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(8):
    for rows, labels in DataLoader(train, batch_size=35, shuffle=True):
        optimizer.zero_grad()
        criterion(model(rows), labels).backward()
        optimizer.step()
model.eval()
with torch.no_grad():
    answers = model(torch.tensor(x_test, dtype=torch.float32)).argmax(1)
print(f"accuracy {(answers == torch.tensor(y_test)).float().mean():.3f}")
