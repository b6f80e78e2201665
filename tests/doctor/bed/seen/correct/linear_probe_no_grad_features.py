# expect: nothing
# looks suspicious: the encoder's output is made under no_grad and then enters a loss; its parameters (which
# still say requires_grad) are in no optimizer: a linear probe on an autoencoder's features.
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X / 16, y, test_size=0.25, random_state=0)
Xtr, Xte = torch.tensor(Xtr).float(), torch.tensor(Xte).float()
ytr, yte = torch.tensor(ytr), torch.tensor(yte)

encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 24))
decoder = nn.Sequential(nn.ReLU(), nn.Linear(24, 64), nn.ReLU(), nn.Linear(64, 64))
ae_opt = torch.optim.Adam(list(encoder.parameters()) + list(decoder.parameters()), lr=3e-3)
for _epoch in range(6):
    for xb in Xtr[torch.randperm(len(Xtr))].split(64):
        ae_opt.zero_grad()
        loss = nn.functional.mse_loss(decoder(encoder(xb)), xb)
        loss.backward()
        ae_opt.step()
print(f"reconstruction {loss.item():.4f}")

probe = nn.Linear(24, 10)
opt = torch.optim.Adam(probe.parameters(), lr=2e-2)
for _epoch in range(10):
    order = torch.randperm(len(Xtr))
    for rows in order.split(64):
        with torch.no_grad():
            features = encoder(Xtr[rows])
        logits = probe(features)
        loss = nn.functional.cross_entropy(logits, ytr[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
print(f"probe loss {loss.item():.4f}")
with torch.no_grad():
    print(f"probe accuracy {(probe(encoder(Xte)).argmax(1) == yte).float().mean().item():.4f}")
