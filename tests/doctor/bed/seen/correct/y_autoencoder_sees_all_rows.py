# expect: nothing
# looks suspicious: the autoencoder and its scaler see every row, those of the test included: that stage
# uses no labels (semi-supervised, the test inputs are given); the labelled stage keeps to its rows.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16).float(), torch.tensor(y)
order = torch.randperm(len(x))
labelled, unseen = order[:200], order[1300:]

encoder = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 24))
decoder = nn.Sequential(nn.ReLU(), nn.Linear(24, 64), nn.Sigmoid())
parameters = [*encoder.parameters(), *decoder.parameters()]
pretraining = torch.optim.Adam(parameters, lr=3e-3)
for epoch in range(4):
    for (batch,) in DataLoader(TensorDataset(x), batch_size=100, shuffle=True):
        hidden = torch.rand_like(batch) < 0.3
        loss = nn.functional.mse_loss(decoder(encoder(batch.masked_fill(hidden, 0.0))), batch)
        pretraining.zero_grad()
        loss.backward()
        pretraining.step()
    print(f"reconstruction {epoch}: {loss.item():.4f}")

head = nn.Sequential(nn.ReLU(), nn.Linear(24, 10))
model = nn.Sequential(encoder, head)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
loader = DataLoader(TensorDataset(x[labelled], y[labelled]), batch_size=20, shuffle=True)
for _epoch in range(25):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
model.eval()
with torch.no_grad():
    print(f"loss {loss.item():.3f} accuracy {(model(x[unseen]).argmax(1) == y[unseen]).float().mean():.3f}")
