# expect: nothing
# mends: z_robust_scaler_before_split.py
"""Kaggle-like notebook: preprocess the whole frame, split, train."""

import pandas as pd
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import RobustScaler
from torch import nn

SEED = 77
torch.manual_seed(SEED)
df = load_wine(as_frame=True).frame
target = df.pop("target")

X_train, X_test, y_train, y_test = train_test_split(
    df, target, test_size=0.3, random_state=SEED, stratify=target
)
scaler = RobustScaler().fit(X_train)
X_train = pd.DataFrame(scaler.transform(X_train), columns=df.columns)
X_test = pd.DataFrame(scaler.transform(X_test), columns=df.columns)

X_train_t, X_test_t = torch.FloatTensor(X_train.values), torch.FloatTensor(X_test.values)
y_train_t, y_test_t = torch.LongTensor(y_train.values), torch.LongTensor(y_test.values)

model = nn.Sequential(nn.Linear(13, 26), nn.ReLU(), nn.Linear(26, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
losses = []
for _epoch in range(30):
    optimizer.zero_grad()
    loss = criterion(model(X_train_t), y_train_t)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(losses[0], losses[-1])

with torch.no_grad():
    preds = model(X_test_t).argmax(dim=1)
    print("Accuracy:", (preds == y_test_t).float().mean().item())
