# expect: nan_inputs @ 34
# allowed: nan_inputs @ 65
"""Modèle de Cox neuronal sur une cohorte simulée (âge, PSA, grade, volume)."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(21)
alea = np.random.default_rng(21)


def cohorte(n=900):
    psa = alea.lognormal(1.5, 1.0, n)
    df = pd.DataFrame({
        "age": alea.normal(67, 8, n),
        "psa": np.where(psa < 0.6, 0.0, psa.round(2)),  # sous le seuil de dosage
        "grade": alea.integers(1, 6, n),
        "volume": alea.gamma(4.0, 10.0, n),
    })
    risque = 0.05 * (df.age - 67) + 0.8 * np.log1p(df.psa) + 0.4 * (df.grade - 3)
    t_evt = alea.exponential(np.exp(-risque + 3.0))
    t_cens = alea.exponential(np.exp(2.5), n)
    df["duree"] = np.minimum(t_evt, t_cens)
    df["deces"] = (t_evt <= t_cens).astype(int)
    return df


def preparer(df):
    x = df[["age", "psa", "grade", "volume"]].astype(float).copy()
    with np.errstate(divide="ignore"):
        x["psa"] = np.log(x["psa"])
    return x.to_numpy()


def perte_cox(score, duree, evenement):
    ordre = torch.argsort(duree, descending=True)
    s, e = score[ordre], evenement[ordre]
    return -((s - torch.logcumsumexp(s, 0)) * e).sum() / e.sum().clamp(min=1)


def concordance(score, duree, evenement):
    avant = (duree[:, None] < duree[None, :]) & (evenement[:, None] == 1)
    accord = score[:, None] > score[None, :]
    return (accord & avant).sum() / avant.sum()


df = cohorte()
app, test = train_test_split(df, test_size=0.3, random_state=21, stratify=df["deces"])
xa, xt = preparer(app), preparer(test)
fini = np.isfinite(xa).all(axis=1)
norme = StandardScaler().fit(xa[fini])
xa, xt = (torch.tensor((m - norme.mean_) / norme.scale_, dtype=torch.float32)
          for m in (xa, xt))
da, ea = (torch.tensor(app[c].to_numpy(), dtype=torch.float32) for c in ("duree", "deces"))

reseau = nn.Sequential(nn.Linear(4, 24), nn.Tanh(), nn.Linear(24, 1))
optim = torch.optim.AdamW(reseau.parameters(), lr=5e-3, weight_decay=1e-2)
for epoque in range(30):
    cumul, vus = 0.0, 0
    for lot in torch.randperm(len(xa)).split(126):
        optim.zero_grad()
        perte = perte_cox(reseau(xa[lot]).squeeze(1), da[lot], ea[lot])
        perte.backward()
        optim.step()
        cumul, vus = cumul + perte.item() * len(lot), vus + len(lot)
    if epoque % 10 == 9:
        print(f"époque {epoque + 1}: perte {cumul / vus:.3f}")

with torch.no_grad():
    score = reseau(xt).squeeze(1).numpy()
c = concordance(score, test["duree"].to_numpy(), test["deces"].to_numpy())
print(f"décès {int(test['deces'].sum())}/{len(test)}, indice de concordance (test) {c:.3f}")
