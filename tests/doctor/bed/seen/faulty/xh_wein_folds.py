# expect: exploding_sum_loss @ 33
# allowed: exploding_sum_loss @ 26
# allowed: exploding_sum_loss @ 27
# allowed: exploding_sum_loss @ 36
# allowed: exploding_sum_loss @ 51
# Wein-Sorten mit einem MLP: fünf Folds, SGD
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler

torch.manual_seed(8)

wein = load_wine(as_frame=True)
merkmale, sorte = wein.data, wein.target.to_numpy()


def mlp(n):
    return nn.Sequential(nn.Linear(n, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))


def lerne(modell, x, y, schritte=40, lr=0.1, stapel=48):
    sgd = torch.optim.SGD(modell.parameters(), lr=lr, momentum=0.9)
    protokoll = []
    modell.train()
    for _ in range(schritte):
        gesamt = 0.0
        for teil in torch.randperm(len(x)).split(stapel):
            verlust = F.cross_entropy(modell(x[teil]), y[teil], reduction="sum")
            sgd.zero_grad()
            verlust.backward()
            sgd.step()
            gesamt += verlust.item()
        protokoll.append(gesamt / len(x))
    return protokoll


ergebnisse = []
aufteilung = StratifiedKFold(n_splits=5, shuffle=True, random_state=8)
for nr, (tr, te) in enumerate(aufteilung.split(merkmale, sorte), 1):
    vorbereitung = make_pipeline(PowerTransformer(), StandardScaler())
    x_tr = torch.tensor(vorbereitung.fit_transform(merkmale.iloc[tr]), dtype=torch.float32)
    x_te = torch.tensor(vorbereitung.transform(merkmale.iloc[te]), dtype=torch.float32)
    y_tr, y_te = torch.tensor(sorte[tr]), torch.tensor(sorte[te])

    modell = mlp(x_tr.shape[1])
    protokoll = lerne(modell, x_tr, y_tr)
    modell.eval()
    with torch.no_grad():
        richtig = (modell(x_te).argmax(dim=1) == y_te).float().mean().item()
    ergebnisse.append(richtig)
    print(f"Fold {nr}: Verlust {protokoll[0]:.3g} -> {protokoll[-1]:.3g}, richtig {richtig:.3f}")

print(f"Mittelwert {np.mean(ergebnisse):.3f}, Streuung {np.std(ergebnisse):.3f}")
