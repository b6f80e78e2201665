# expect: nothing
# Kundenabgang vorhersagen: 5-fache Kreuzvalidierung mit kleinem MLP
import numpy as np
import pandas as pd
import torch
from torch import nn
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

SEED = 7
EPOCHEN = 12
LERNRATE = 3e-3


def tabelle_bauen(n=2400):
    rng = np.random.default_rng(SEED)
    df = pd.DataFrame({
        "monate": rng.integers(1, 72, n),
        "monatspreis": rng.normal(65, 20, n).clip(15, 130),
        "anrufe_hotline": rng.poisson(2.0, n),
        "datenvolumen": rng.gamma(2.0, 6.0, n),
        "alter": rng.integers(18, 80, n),
    })
    z = (-0.035 * (df["monate"] - 36) + 0.025 * (df["monatspreis"] - 65)
         + 0.35 * (df["anrufe_hotline"] - 2) - 0.03 * (df["datenvolumen"] - 12))
    df["abgang"] = (rng.random(n) < 1 / (1 + np.exp(-1.4 * z))).astype(int)
    return df


class AbgangNetz(nn.Module):
    def __init__(self, n_ein):
        super().__init__()
        self.schichten = nn.Sequential(
            nn.Linear(n_ein, 32),
            nn.ReLU(),
            nn.Linear(32, 16),
            nn.ReLU(),
            nn.Linear(16, 1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.schichten(x).squeeze(1)


def trainieren(netz, X, y):
    opt = torch.optim.Adam(netz.parameters(), lr=LERNRATE)
    kriterium = nn.BCELoss()
    n = len(X)
    for _ in range(EPOCHEN):
        netz.train()
        reihenfolge = torch.randperm(n)
        for i in range(0, n, 64):
            idx = reihenfolge[i:i + 64]
            opt.zero_grad()
            verlust = kriterium(netz(X[idx]), y[idx])
            verlust.backward()
            opt.step()


def main():
    torch.manual_seed(SEED)
    df = tabelle_bauen()
    y = df.pop("abgang").to_numpy().astype("float32")
    X = df.to_numpy().astype("float32")
    skf = StratifiedKFold(n_splits=5, shuffle=True, random_state=SEED)
    genau, ll = [], []
    for falte, (tr, te) in enumerate(skf.split(X, y), 1):
        skalierer = StandardScaler().fit(X[tr])
        X_tr = torch.tensor(skalierer.transform(X[tr]), dtype=torch.float32)
        X_te = torch.tensor(skalierer.transform(X[te]), dtype=torch.float32)
        netz = AbgangNetz(X.shape[1])
        trainieren(netz, X_tr, torch.tensor(y[tr]))
        netz.eval()
        with torch.no_grad():
            p = netz(X_te).numpy()
        genau.append(accuracy_score(y[te], p > 0.5))
        ll.append(log_loss(y[te], p.clip(1e-6, 1 - 1e-6).astype("float64")))
        print(f"Falte {falte}: Genauigkeit {genau[-1]:.3f}  LogLoss {ll[-1]:.3f}")
    print(f"Mittel: Genauigkeit {np.mean(genau):.3f}  LogLoss {np.mean(ll):.3f}")


if __name__ == "__main__":
    main()
