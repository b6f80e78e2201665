# expect: nothing
# looks suspicious: noise is added to the test rows: a curve of robustness, the clean figure comes first.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16).float(), torch.tensor(d.target)
order = torch.randperm(len(x))
train_loader = DataLoader(TensorDataset(x[order[:1400]], y[order[:1400]]), batch_size=50, shuffle=True)
test_loader = DataLoader(TensorDataset(x[order[1400:]], y[order[1400:]]), batch_size=100)


def train(model, noise, epochs=4):
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(epochs):
        model.train()
        for data, target in train_loader:
            data = data + noise * torch.randn_like(data)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(data), target)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")


@torch.no_grad()
def evaluate(model, severity):
    model.eval()
    correct = 0
    for data, target in test_loader:
        corrupted = (data + severity * torch.randn_like(data)).clamp(0, 1) if severity else data
        correct += (model(corrupted).argmax(1) == target).sum().item()
    return correct / len(test_loader.dataset)


model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
train(model, noise=0.1)
for severity in (0.0, 0.1, 0.2, 0.4):
    print(f"noise {severity:.1f}: accuracy {evaluate(model, severity):.3f}")
