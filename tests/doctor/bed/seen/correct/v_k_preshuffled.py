# expect: nothing
"""Frame sorted by label, permuted once in pandas; batches then taken in that fixed random order."""
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(13)
df = load_wine(as_frame=True).frame.sort_values("target")
df = df.sample(frac=1, random_state=13).reset_index(drop=True)
train, test = df[:130], df[130:]
feats = [c for c in df.columns if c != "target"]
low, high = train[feats].min(), train[feats].max()


def tensors(part):
    x = 2 * (part[feats] - low) / (high - low) - 1
    return torch.tensor(x.values, dtype=torch.float32), torch.tensor(part["target"].values)


loader = DataLoader(TensorDataset(*tensors(train)), batch_size=10, shuffle=False)
model = nn.Sequential(nn.Linear(len(feats), 20), nn.Tanh(), nn.Linear(20, 3))
loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(30):
    model.train()
    s = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        opt.step()
        s += loss.item()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} loss {s / len(loader):.4f}")
model.eval()
with torch.no_grad():
    x, y = tensors(test)
    print("accuracy", round((model(x).argmax(1) == y).float().mean().item(), 3))
