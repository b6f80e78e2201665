# expect: scaler_leakage @ 26
"""Kaggle notebook exported to a script: tumours from the tabular data, pandas up to the last moment."""
import pandas as pd
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

# In [1]: read the tables
bunch = load_breast_cancer(as_frame=True)
df = bunch.frame.sample(frac=1.0, random_state=2024).reset_index(drop=True)
n_test = 170
train_df, test_df = df.iloc[n_test:].copy(), df.iloc[:n_test].copy()
num_cols = [c for c in df.columns if c != "target"]
print("train", train_df.shape, "test", test_df.shape)

# In [2]: feature engineering, the same for both tables
all_data = pd.concat([train_df, test_df], keys=["train", "test"])
all_data["compact_ratio"] = all_data["mean area"] / (all_data["mean perimeter"] ** 2)
all_data["worst_growth"] = all_data["worst radius"] / all_data["mean radius"]
num_cols = num_cols + ["compact_ratio", "worst_growth"]

# In [3]: standardise
scaler = StandardScaler()
scaler.fit(all_data[num_cols])
all_data[num_cols] = scaler.transform(all_data[num_cols])
train_df, test_df = all_data.loc["train"], all_data.loc["test"]


def tensors(frame):
    return (torch.tensor(frame[num_cols].to_numpy(), dtype=torch.float32),
            torch.tensor(frame["target"].to_numpy(), dtype=torch.float32))


# In [4]: the model
torch.manual_seed(2024)
x_train, y_train = tensors(train_df)
x_test, y_test = tensors(test_df)
model = nn.Sequential(nn.Linear(len(num_cols), 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
criterion = nn.BCEWithLogitsLoss()

# In [5]: training
for epoch in range(20):
    for batch in torch.randperm(len(x_train)).split(32):
        optimizer.zero_grad()
        loss = criterion(model(x_train[batch]).squeeze(1), y_train[batch])
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: last batch loss {loss.item():.4f}")

# In [6]: hold-out score
model.eval()
with torch.no_grad():
    prob = torch.sigmoid(model(x_test).squeeze(1))
print(f"AUC {roc_auc_score(y_test.numpy(), prob.numpy()):.4f}  accuracy {((prob > 0.5) == y_test.bool()).float().mean():.4f}")
