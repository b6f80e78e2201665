# expect: nothing
"""Autoencoder with sigmoid output and BCELoss, then multi-label classification of its detached codes."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(20)
X, y = load_digits(return_X_y=True)
props = torch.tensor([[d % 2 == 0, d >= 5, d in (0, 6, 8, 9)] for d in y.tolist()], dtype=torch.float32)
Xa, Xb, pa, pb = train_test_split(torch.tensor(X / 16, dtype=torch.float32), props, test_size=0.25, random_state=20)
encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
decoder = nn.Sequential(nn.ReLU(), nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.Sigmoid())
clf = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 3))
opt_ae = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
opt_clf = torch.optim.Adam(clf.parameters(), lr=5e-3)
bce, bce_logits = nn.BCELoss(), nn.BCEWithLogitsLoss()
loader = DataLoader(TensorDataset(Xa, pa), batch_size=64, shuffle=True)

for epoch in range(20):
    encoder.train(), decoder.train(), clf.train()
    rec_sum = clf_sum = 0.0
    for xb, tb in loader:
        code = encoder(xb)
        rec = bce(decoder(code), xb)
        opt_ae.zero_grad()
        rec.backward()
        opt_ae.step()

        out = clf(code.detach())
        loss = bce_logits(out, tb)
        opt_clf.zero_grad()
        loss.backward()
        opt_clf.step()
        rec_sum, clf_sum = rec_sum + rec.item(), clf_sum + loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} reconstruction {rec_sum / len(loader):.4f} labels {clf_sum / len(loader):.4f}")

encoder.eval(), clf.eval()
with torch.no_grad():
    hit = ((torch.sigmoid(clf(encoder(Xb))) > 0.5).float() == pb).float().mean(0)
print("per-label accuracy", [round(v, 3) for v in hit.tolist()])
