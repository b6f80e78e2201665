# expect: nothing
# One trunk, two heads: class of the wine and its (standardised) colour intensity.
import torch
from torch import nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(5)

data = load_wine()
cols = [i for i, n in enumerate(data.feature_names) if n != "color_intensity"]
color = data.data[:, data.feature_names.index("color_intensity")]
X_tr, X_te, y_tr, y_te, c_tr, c_te = train_test_split(
    data.data[:, cols], data.target, color, test_size=0.3, stratify=data.target, random_state=5)
sc = StandardScaler().fit(X_tr)
c_mean, c_std = c_tr.mean(), c_tr.std()


def pack(X, y, c):
    return (torch.tensor(sc.transform(X), dtype=torch.float32),
            torch.tensor(y, dtype=torch.long),
            torch.tensor((c - c_mean) / c_std, dtype=torch.float32))


X_tr, y_tr, c_tr = pack(X_tr, y_tr, c_tr)
X_te, y_te, c_te = pack(X_te, y_te, c_te)


class TwoHeads(nn.Module):
    def __init__(self, d_in, width=32):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(d_in, width), nn.ReLU())
        self.cls = nn.Linear(width, 3)
        self.reg = nn.Linear(width, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.cls(h), self.reg(h).squeeze(1)


model = TwoHeads(X_tr.shape[1])
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
weights = torch.tensor([1.0, 0.5])
ce, mse = nn.CrossEntropyLoss(), nn.MSELoss()

for epoch in range(40):
    model.train()
    running = 0.0
    for idx in torch.randperm(len(X_tr)).split(16):
        logits, shade = model(X_tr[idx])
        losses = torch.stack([ce(logits, y_tr[idx]), mse(shade, c_tr[idx])])
        loss = (weights * losses).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() * len(idx)
    if epoch % 10 == 9:
        model.eval()
        with torch.no_grad():
            logits, shade = model(X_te)
            acc = (logits.argmax(dim=1) == y_te).float().mean().item()
            err = mse(shade, c_te).item()
        print(f"epoch {epoch + 1} loss {running / len(X_tr):.3f} | test acc {acc:.3f} colour mse {err:.3f}")
