# expect: nothing
"""Siamese network with a contrastive loss over pairs drawn at random."""
import torch
import torch.nn as nn

torch.manual_seed(4)


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4))

    def forward(self, a, b):
        return self.net(a), self.net(b)


def distance(z1, z2):
    return torch.sqrt(((z1 - z2) ** 2).sum(dim=1) + 1e-8)


def contrastive(d, same, margin=1.5):
    pos = same * d ** 2
    neg = (1 - same) * torch.clamp(margin - d, min=0) ** 2
    return (pos + neg).mean()


def blobs(n):
    centers = torch.randn(4, 10, generator=torch.Generator().manual_seed(9)) * 1.5
    y = torch.randint(0, 4, (n,))
    return centers[y] + torch.randn(n, 10), y


x, y = blobs(600)
x_test, y_test = blobs(300)
model = Siamese()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

for epoch in range(15):
    running = 0.0
    for _ in range(20):
        i = torch.randint(0, len(x), (64,))
        j = torch.randint(0, len(x), (64,))
        same = (y[i] == y[j]).float()
        z1, z2 = model(x[i], x[j])
        loss = contrastive(distance(z1, z2), same)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {running / 20:.4f}")

model.eval()
with torch.no_grad():
    i, j = torch.randint(0, 300, (500,)), torch.randint(0, 300, (500,))
    z1, z2 = model(x_test[i], x_test[j])
    pred = (distance(z1, z2) < 0.75).float()
    acc = (pred == (y_test[i] == y_test[j]).float()).float().mean().item()
print(f"pair accuracy {acc:.3f}")
