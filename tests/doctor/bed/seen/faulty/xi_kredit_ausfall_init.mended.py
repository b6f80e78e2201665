# expect: nothing
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch import nn

SEED = 21
rng = np.random.default_rng(SEED)

n = 1600
kredite = pd.DataFrame({
    "einkommen": rng.lognormal(10.4, 0.4, n),
    "kreditsumme": rng.lognormal(9.6, 0.5, n),
    "alter": rng.uniform(19, 75, n),
    "laufzeit": rng.integers(6, 84, n).astype(float),
    "konten": rng.poisson(2.5, n).astype(float),
})
quote = np.log(kredite.kreditsumme / kredite.einkommen)
score = np.sin(kredite.alter / 8) * 2 + (kredite.konten - 2.5) * (quote + 0.8) * 1.5 - np.abs(kredite.laufzeit - 40) / 12
kredite["ausfall"] = (score + rng.logistic(0, 0.3, n) > score.median()).astype(int)
SPALTEN = ["einkommen", "kreditsumme", "alter", "laufzeit", "konten"]


def gewichte_setzen(modul):
    if isinstance(modul, nn.Linear):
        nn.init.kaiming_uniform_(modul.weight, nonlinearity="relu")
        nn.init.zeros_(modul.bias)


def baue_netz(d):
    netz = nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
    netz.apply(gewichte_setzen)
    return netz


def trainiere(x, y, epochen=20):
    netz = baue_netz(x.shape[1])
    opt = torch.optim.Adam(netz.parameters(), lr=5e-3)
    bce = nn.BCEWithLogitsLoss()
    for _ in range(epochen):
        for idx in torch.randperm(len(x)).split(64):
            opt.zero_grad()
            fehler = bce(netz(x[idx]).squeeze(-1), y[idx])
            fehler.backward()
            opt.step()
    return netz, fehler.item()


X = kredite[SPALTEN].to_numpy()
y = kredite["ausfall"].to_numpy()
aucs = []
for falte, (tr, te) in enumerate(StratifiedKFold(4, shuffle=True, random_state=SEED).split(X, y)):
    torch.manual_seed(SEED + falte)
    sk = StandardScaler().fit(X[tr])
    x_tr = torch.tensor(sk.transform(X[tr]), dtype=torch.float32)
    x_te = torch.tensor(sk.transform(X[te]), dtype=torch.float32)
    netz, letzter = trainiere(x_tr, torch.tensor(y[tr], dtype=torch.float32))
    netz.eval()
    with torch.no_grad():
        p = torch.sigmoid(netz(x_te)).squeeze(-1).numpy()
    aucs.append(roc_auc_score(y[te], p))
    print(f"Falte {falte}: letzter Batchverlust {letzter:.3f}, AUC {aucs[-1]:.3f}")
print(f"AUC {np.mean(aucs):.3f} +- {np.std(aucs):.3f}")
