# expect: nothing
# looks suspicious: more than half of the hidden units never fire and never learn: they were pruned on
# purpose between two trainings.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.utils import prune
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16).float(), torch.tensor(d.target)
order = torch.randperm(len(x))
train = DataLoader(TensorDataset(x[order[:1400]], y[order[:1400]]), batch_size=70, shuffle=True)
x_test, y_test = x[order[1400:]], y[order[1400:]]
model = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))


def fit(epochs, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(epochs):
        model.train()
        for xb, yb in train:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")


def report(tag):
    model.eval()
    with torch.no_grad():
        fires = (model[1](model[0](x_test)) > 0).any(0).sum().item()
        accuracy = (model(x_test).argmax(1) == y_test).float().mean().item()
    print(f"{tag}: accuracy {accuracy:.3f}, units that fire {fires} of 100")


fit(4, 3e-3)
report("dense")
prune.ln_structured(model[0], "weight", amount=0.6, n=2, dim=0)
kept = model[0].weight_mask.any(1).float()
prune.custom_from_mask(model[0], "bias", kept)
fit(3, 1e-3)
report("pruned")
