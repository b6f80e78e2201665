# expect: nothing
# mends: columns_scaled_then_split.py
"""A ColumnTransformer is fitted on the whole frame."""

import numpy as np
import pandas as pd
import torch
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(0)
df = pd.DataFrame({"age": rng.normal(40, 12, 400), "income": rng.normal(3000, 900, 400)})
df["city"] = rng.choice(["oslo", "bergen", "tromso"], 400)
target = ((df.age > 40) ^ (df.city == "oslo")).astype(int).to_numpy()
prep = ColumnTransformer([("n", StandardScaler(), ["age", "income"]), ("c", OneHotEncoder(), ["city"])])
X_tr, X_te, y_tr, y_te = train_test_split(df, target, test_size=0.25, random_state=0)
X_tr, X_te = prep.fit_transform(X_tr), prep.transform(X_te)
X_tr, X_te = torch.tensor(X_tr).float(), torch.tensor(X_te).float()
y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)
net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _epoch in range(40):
    loss = nn.functional.cross_entropy(net(X_tr), y_tr)
    opt.zero_grad()
    loss.backward()
    opt.step()
with torch.no_grad():
    print((net(X_te).argmax(1) == y_te).float().mean().item())
