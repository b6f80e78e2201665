# expect: nothing
"""Linear probe: an autoencoder learns from unlabelled digits, its frozen encoder then serves 200 labelled ones."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(6)
X, y = load_digits(return_X_y=True)
pool, X_test, pool_y, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=6)
_, X_lab, _, y_lab = train_test_split(pool, pool_y, test_size=200, stratify=pool_y, random_state=6)
pool, X_lab, X_test = (torch.tensor(a, dtype=torch.float32) / 16 for a in (pool, X_lab, X_test))
y_lab, y_test = torch.tensor(y_lab), torch.tensor(y_test)

# --- step 1: autoencoder on all training pictures, no labels ---
encoder = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 24))
decoder = nn.Sequential(nn.ReLU(), nn.Linear(24, 64), nn.ReLU(), nn.Linear(64, 64), nn.Sigmoid())
opt = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=4e-3)
for epoch in range(12):
    total = 0.0
    for idx in torch.randperm(len(pool)).split(64):
        batch = pool[idx]
        loss = nn.functional.mse_loss(decoder(encoder(batch)), batch)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(batch)
    if epoch % 4 == 3:
        print(f"reconstruction, epoch {epoch + 1:2d}: {total / len(pool):.4f}")

# --- step 2: freeze, and train one linear layer on top ---
encoder.requires_grad_(False)
encoder.eval()
with torch.no_grad():
    codes = encoder(X_lab)
    code_mean, code_std = codes.mean(dim=0), codes.std(dim=0)

probe = nn.Linear(24, 10)
probe_opt = torch.optim.Adam(probe.parameters(), lr=2e-2)
z = (codes - code_mean) / code_std
for it in range(200):
    pick = torch.randint(0, len(z), (40,))
    loss = nn.functional.cross_entropy(probe(z[pick]), y_lab[pick])
    probe_opt.zero_grad()
    loss.backward()
    probe_opt.step()
    if it % 50 == 49:
        print(f"probe, iteration {it + 1}: {loss.item():.4f}")

probe.eval()
with torch.no_grad():
    logits = probe((encoder(X_test) - code_mean) / code_std)
print(f"test accuracy with 200 labels: {(logits.argmax(dim=1) == y_test).float().mean().item():.3f}")
