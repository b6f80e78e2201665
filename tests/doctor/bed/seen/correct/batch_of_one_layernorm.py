# expect: nothing
# looks suspicious: batches of one row in train mode through normalisation layers: LayerNorm and GroupNorm
# do not look across rows, so one is enough.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(0)
d = load_digits(n_class=4)
x = torch.tensor(d.images / 16, dtype=torch.float32).unsqueeze(1)
y = torch.tensor(d.target)
perm = torch.randperm(len(y)).tolist()
full = TensorDataset(x, y)
stream = DataLoader(Subset(full, perm[:300]), batch_size=1, shuffle=True)
test = DataLoader(Subset(full, perm[300:]), batch_size=128)

model = nn.Sequential(
    nn.Conv2d(1, 8, 3, stride=2, padding=1),
    nn.GroupNorm(2, 8),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(128, 32),
    nn.LayerNorm(32),
    nn.ReLU(),
    nn.Linear(32, 4),
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
for epoch in range(2):
    model.train()
    total = 0.0
    for image, label in stream:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(image), label)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch} loss {total / len(stream):.4f}")
model.eval()
with torch.no_grad():
    hits = sum((model(a).argmax(1) == b).sum().item() for a, b in test)
print("accuracy", hits / len(test.dataset))
