# expect: nothing
# looks suspicious: reduction="sum" over batches of 100 and a learning rate of 0.001: the rate is the mean's
# divided by the batch size, and it says so.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
data = TensorDataset(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y))
train, test = random_split(data, [1500, 297])
BATCH, LR = 100, 0.1
model = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))
criterion = nn.CrossEntropyLoss(reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=LR / BATCH, momentum=0.9)

for epoch in range(8):
    total = 0.0
    for xb, yb in DataLoader(train, batch_size=BATCH, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch} loss per row {total / len(train):.4f}")

model.eval()
with torch.no_grad():
    xb, yb = next(iter(DataLoader(test, batch_size=len(test))))
    print("test loss per row", criterion(model(xb), yb).item() / len(test))
    print("test accuracy", (model(xb).argmax(1) == yb).float().mean().item())
