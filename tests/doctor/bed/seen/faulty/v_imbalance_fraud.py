# expect: class_imbalance @ 34
# allowed: class_imbalance @ 32
# allowed: class_imbalance @ 42
"""Credit-card fraud kernel: 2% positives, MLP on standardised transaction features."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.metrics import confusion_matrix, recall_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(0)
torch.manual_seed(0)

n, n_fraud = 4000, 80
df = pd.DataFrame(np.random.randn(n, 6), columns=[f"V{i}" for i in range(1, 7)])
df["Amount"] = np.random.lognormal(3, 1, n)
df["Class"] = 0
df.loc[:n_fraud - 1, "Class"] = 1
df.loc[df.Class == 1, ["V1", "V3", "V4"]] += [1.0, -0.9, 0.9]

X, y = df.drop(columns="Class"), df["Class"]
X["Amount"] = np.log1p(X["Amount"])
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
sc = StandardScaler().fit(X_tr)
X_tr_t = torch.tensor(sc.transform(X_tr), dtype=torch.float32)
X_te_t = torch.tensor(sc.transform(X_te), dtype=torch.float32)
y_tr_t = torch.tensor(y_tr.values, dtype=torch.float32).unsqueeze(1)

train_loader = DataLoader(TensorDataset(X_tr_t, y_tr_t), batch_size=128, shuffle=True)
model = nn.Sequential(nn.Linear(7, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

for epoch in range(15):
    model.train()
    running = 0.0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: {running / len(train_loader):.4f}")

model.eval()
with torch.no_grad():
    pred = (torch.sigmoid(model(X_te_t)) > 0.5).long().squeeze(1).numpy()
print("accuracy:", round((pred == y_te.values).mean(), 4))
print("fraud recall:", round(recall_score(y_te, pred), 3))
print(confusion_matrix(y_te, pred))
