# expect: nothing
# Diabetes-Tabelle: Punktvorhersage im Auswertemodus, dazu Streuung durch wiederholtes Dropout
# (BatchNorm bleibt dabei eingefroren, nur die Dropout-Schichten würfeln weiter).
import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(8)

X, y = load_diabetes(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.25, random_state=8)
sx = StandardScaler().fit(X_tr)
mitte, breite = y_tr.mean(), y_tr.std()


def als_tensor(a):
    return torch.as_tensor(np.asarray(a), dtype=torch.float32)


A, b = als_tensor(sx.transform(X_tr)), als_tensor((y_tr - mitte) / breite)
T = als_tensor(sx.transform(X_te))


class Netz(nn.Module):
    def __init__(self, ein, breit=48):
        super().__init__()
        self.unten = nn.Sequential(nn.Linear(ein, breit), nn.BatchNorm1d(breit), nn.ReLU(), nn.Dropout(0.3))
        self.oben = nn.Sequential(nn.Linear(breit, 24), nn.ReLU(), nn.Dropout(0.3), nn.Linear(24, 1))

    def forward(self, x):
        return self.oben(self.unten(x)).flatten()


netz = Netz(A.shape[1])
opt = torch.optim.AdamW(netz.parameters(), lr=3e-3, weight_decay=1e-2)
for runde in range(1, 31):
    netz.train()
    summe = 0.0
    for idx in torch.randperm(len(A)).tensor_split(10):
        opt.zero_grad(set_to_none=True)
        verlust = nn.functional.mse_loss(netz(A[idx]), b[idx])
        verlust.backward()
        opt.step()
        summe += verlust.item() * len(idx)
    if runde % 10 == 0:
        print(f"Runde {runde}: Verlust {summe / len(A):.3f}")


def wuerfeln(netz, x, mal=100):
    """Viele Durchläufe mit aktivem Dropout; alles andere im Auswertemodus."""
    netz.eval()
    for schicht in netz.modules():
        if isinstance(schicht, nn.Dropout):
            schicht.train()
    with torch.inference_mode():
        laeufe = torch.stack([netz(x) for _ in range(mal)])
    netz.eval()
    return laeufe.std(dim=0).numpy() * breite


streuung = wuerfeln(netz, T)
with torch.inference_mode():
    punkt = netz(T).numpy() * breite + mitte

fehler = np.abs(y_te - punkt)
print(f"Test-MAE {fehler.mean():.1f} (immer Median: {np.abs(y_te - np.median(y_tr)).mean():.1f})")
print(f"mittlere Dropout-Streuung {streuung.mean():.1f}, Spanne {streuung.min():.1f} bis {streuung.max():.1f}")
