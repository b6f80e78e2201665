# expect: nothing
# looks suspicious: four backwards without zero_grad before each step; it is gradient accumulation, with the
# loss divided by the number of micro-batches and the last, shorter group weighted by its own size.
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X / 16.0, y, test_size=0.25, random_state=0, stratify=y)
train = TensorDataset(torch.tensor(Xtr, dtype=torch.float32), torch.tensor(ytr))
loader = DataLoader(train, batch_size=16, shuffle=True)
Xte, yte = torch.tensor(Xte, dtype=torch.float32), torch.tensor(yte)

model = torch.nn.Sequential(torch.nn.Linear(64, 48), torch.nn.ReLU(), torch.nn.Linear(48, 10))
optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
accumulate = 4
batches = len(loader)

for epoch in range(6):
    running = 0.0
    optimizer.zero_grad(set_to_none=True)
    for i, (xb, yb) in enumerate(loader):
        group = min(accumulate, batches - (i // accumulate) * accumulate)
        loss = F.cross_entropy(model(xb), yb)
        (loss / group).backward()
        running += loss.item()
        if (i + 1) % accumulate == 0 or i + 1 == batches:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
    print(f"epoch {epoch}: train loss {running / batches:.4f}")

model.eval()
with torch.no_grad():
    accuracy = (model(Xte).argmax(dim=1) == yte).float().mean().item()
print(f"test accuracy {accuracy:.4f}")
