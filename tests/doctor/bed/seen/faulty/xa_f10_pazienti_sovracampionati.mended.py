# expect: nothing
# Esercitazione 5 - Diagnosi da esami del sangue (dati simulati, classi sbilanciate)
# Corso di Intelligenza Artificiale, a.a. 2025/26
#
# Valutazione: 3-fold stratificata, media di AUC e F1 della classe "malato".
import numpy as np
import pandas as pd
import torch
from sklearn.datasets import make_classification
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch import nn

SEME = 13


def carica_pazienti():
    X, y = make_classification(n_samples=700, n_features=12, n_informative=5, n_redundant=0,
                               weights=[0.88], flip_y=0.0, class_sep=0.9, n_clusters_per_class=2,
                               random_state=SEME)
    df = pd.DataFrame(X, columns=[f"esame_{i:02d}" for i in range(X.shape[1])])
    df["malato"] = y
    return df


def bilancia(df, seme):
    """Ripete a caso righe della classe rara finché le due classi sono pari."""
    sani, malati = df[df.malato == 0], df[df.malato == 1]
    extra = malati.sample(n=len(sani) - len(malati), replace=True, random_state=seme)
    return pd.concat([df, extra]).sample(frac=1.0, random_state=seme).reset_index(drop=True)


class RetePazienti(nn.Module):
    def __init__(self, n_esami, nascosti=40):
        super().__init__()
        self.strati = nn.Sequential(
            nn.Linear(n_esami, nascosti), nn.ReLU(),
            nn.Linear(nascosti, nascosti), nn.ReLU(),
            nn.Linear(nascosti, 1),
        )

    def forward(self, x):
        return self.strati(x).squeeze(-1)


def in_tensori(df, scala):
    x = scala.transform(df.drop(columns="malato").to_numpy())
    return torch.tensor(x, dtype=torch.float32), torch.tensor(df["malato"].to_numpy(), dtype=torch.float32)


def addestra(x, y, epoche=8, lotto=32):
    rete = RetePazienti(x.shape[1])
    criterio = nn.BCEWithLogitsLoss()
    ottim = torch.optim.Adam(rete.parameters(), lr=3e-3, weight_decay=1e-3)
    media = float("nan")
    for _ in range(epoche):
        somma = 0.0
        for blocco in torch.randperm(len(y)).split(lotto):
            perdita = criterio(rete(x[blocco]), y[blocco])
            ottim.zero_grad()
            perdita.backward()
            ottim.step()
            somma += perdita.item() * len(blocco)
        media = somma / len(y)
    return rete, media


@torch.no_grad()
def probabilita(rete, x):
    rete.eval()
    return torch.sigmoid(rete(x)).numpy()


def valuta_fold(df_add, df_val, k):
    torch.manual_seed(SEME + k)
    scala = StandardScaler().fit(df_add.drop(columns="malato").to_numpy())
    rete, perdita = addestra(*in_tensori(df_add, scala))
    x_val, y_val = in_tensori(df_val, scala)
    p = probabilita(rete, x_val)
    esito = {"fold": k, "perdita": perdita,
             "auc": roc_auc_score(y_val.numpy(), p),
             "f1": f1_score(y_val.numpy(), p > 0.5)}
    print("fold {fold}: perdita {perdita:.4f}  AUC {auc:.3f}  F1 {f1:.3f}".format(**esito))
    return esito


def main():
    pazienti = carica_pazienti()
    print(f"{len(pazienti)} pazienti, {pazienti.malato.mean():.1%} malati")

    esiti = []
    skf = StratifiedKFold(n_splits=3, shuffle=True, random_state=SEME)
    for k, (i_add, i_val) in enumerate(skf.split(pazienti, pazienti["malato"])):
        df_add, df_val = bilancia(pazienti.iloc[i_add], SEME + k), pazienti.iloc[i_val]
        esiti.append(valuta_fold(df_add, df_val, k))

    riassunto = pd.DataFrame(esiti)[["auc", "f1"]]
    print(riassunto.agg(["mean", "std"]).round(3).to_string())


if __name__ == "__main__":
    main()
