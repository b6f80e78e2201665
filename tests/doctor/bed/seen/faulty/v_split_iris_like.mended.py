# expect: nothing
"""Beginner notebook: plant species from petal measurements with an 70/30 split."""
import torch
import torch.nn as nn
from sklearn.datasets import load_iris
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)

# cell 1: load
iris = load_iris(as_frame=True)
df = iris.frame
df["target"].value_counts()

# cell 2: split in train and test
df = df.sample(frac=1.0, random_state=0).reset_index(drop=True)
n_train = int(0.7 * len(df))
train_df = df.iloc[:n_train]
test_df = df.iloc[n_train:]

mean = train_df[iris.feature_names].mean()
std = train_df[iris.feature_names].std()


def tensor_ds(part):
    feats = (part[iris.feature_names] - mean) / std
    return TensorDataset(torch.tensor(feats.values, dtype=torch.float32), torch.tensor(part["target"].values))


# cell 3: loaders
train_dl = DataLoader(tensor_ds(train_df), batch_size=16, shuffle=True)
test_dl = DataLoader(tensor_ds(test_df), batch_size=32)

# cell 4: model
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

# cell 5: train
for epoch in range(30):
    model.train()
    epoch_loss = 0
    for xb, yb in train_dl:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1} loss {epoch_loss / len(train_dl):.4f}")

# cell 6: test
model.eval()
correct = 0
with torch.no_grad():
    for xb, yb in test_dl:
        correct += (model(xb).argmax(1) == yb).sum().item()
print("test accuracy", round(correct / len(test_df), 3))
