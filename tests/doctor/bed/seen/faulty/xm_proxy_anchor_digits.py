# expect: missing_zero_grad @ 57
# allowed: missing_zero_grad @ 58
# allowed: missing_zero_grad @ 59
# Proxy-NCA style metric learning on digits: one optimizer for the net, one for the proxies
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1234)

DIM = 12
EPOCHS = 10

d = load_digits()
X = torch.tensor(d.images, dtype=torch.float32).unsqueeze(1) / 8.0 - 1.0
y = torch.tensor(d.target)
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.3, random_state=3, stratify=d.target)
loader = DataLoader(TensorDataset(Xtr, ytr), batch_size=48, shuffle=True)


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.Flatten(),
            nn.Linear(24 * 16, DIM))

    def forward(self, x):
        return F.normalize(self.net(x), dim=-1)


class Proxies(nn.Module):
    def __init__(self, n_classes, dim, scale=12.0):
        super().__init__()
        self.p = nn.Parameter(torch.randn(n_classes, dim))
        self.scale = scale

    def forward(self, z, labels):
        logits = self.scale * z @ F.normalize(self.p, dim=-1).t()
        return F.cross_entropy(logits, labels)


embedder = Embedder()
proxies = Proxies(10, DIM)
opt_net = torch.optim.SGD(embedder.parameters(), lr=0.1, momentum=0.9)
opt_proxy = torch.optim.SGD(proxies.parameters(), lr=0.5)

for epoch in range(EPOCHS):
    embedder.train()
    running = 0.0
    for xb, yb in loader:
        loss = proxies(embedder(xb), yb)
        opt_proxy.zero_grad()
        loss.backward()
        opt_net.step()
        opt_proxy.step()
        running += loss.item() * len(yb)
    print(f"epoch {epoch + 1:2d}  proxy loss {running / len(Xtr):.4f}")

embedder.eval()
with torch.no_grad():
    z_train, z_test = embedder(Xtr), embedder(Xte)
    nearest = (z_test @ z_train.t()).topk(5, dim=1).indices
    votes = ytr[nearest].mode(dim=1).values
print(f"5-NN accuracy in the embedding: {(votes == yte).float().mean().item():.4f}")
