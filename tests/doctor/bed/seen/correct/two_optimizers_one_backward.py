# expect: nothing
# looks suspicious: one backward and two optimizers, of which one steps only every second batch while its
# gradients wait (and are averaged on purpose).
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X / 16, y, test_size=0.2, random_state=0)
train = DataLoader(TensorDataset(torch.tensor(Xa).float(), torch.tensor(ya)), 32, shuffle=True)
test = DataLoader(TensorDataset(torch.tensor(Xb).float(), torch.tensor(yb)), 256)

encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
head = nn.Linear(32, 10)
slow = torch.optim.Adam(encoder.parameters(), lr=2e-3)
fast = torch.optim.SGD(head.parameters(), lr=0.1, momentum=0.9)

for epoch in range(5):
    total = 0.0
    slow.zero_grad()
    for i, (xb, yb_) in enumerate(train):
        fast.zero_grad()
        loss = nn.functional.cross_entropy(head(encoder(xb)), yb_)
        loss.backward()
        fast.step()
        if i % 2 == 1:
            for p in encoder.parameters():
                p.grad /= 2
            slow.step()
            slow.zero_grad()
        total += loss.item() * len(xb)
    print(f"epoch {epoch} loss {total / len(train.dataset):.4f}")

encoder.eval()
head.eval()
hits = 0
with torch.no_grad():
    for xb, yb_ in test:
        hits += (head(encoder(xb)).argmax(1) == yb_).sum().item()
print("accuracy", hits / len(test.dataset))
