# expect: nothing
# looks suspicious: with a rate of 1e-5 the loss hardly changes: the net was trained before, in the same
# script, and is fine-tuned gently on rows of a second source that it already does well on.
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)


def source(n, shift):
    y = torch.randint(0, 3, (n,))
    x = torch.randn(n, 5) + shift
    x[:, 0] += 3.0 * (y == 1)
    x[:, 1] += 3.0 * (y == 2)
    return TensorDataset(x, y)


def run(model, data, lr, epochs, tag):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, y in DataLoader(data, batch_size=40, shuffle=True):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        print(f"{tag} epoch {epoch}: {total / len(data):.5f}")


def accuracy(model, data):
    model.eval()
    x, y = data.tensors
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


model = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 3))
run(model, source(1200, 0.0), lr=5e-3, epochs=6, tag="pretrain")
new, held_out = source(400, 0.1), source(300, 0.1)
print(f"before {accuracy(model, held_out):.3f}")
run(model, new, lr=1e-5, epochs=4, tag="finetune")
print(f"after {accuracy(model, held_out):.3f}")
