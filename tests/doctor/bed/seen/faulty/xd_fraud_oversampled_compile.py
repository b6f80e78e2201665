# expect: duplicate_leakage @ 49
# allowed: duplicate_leakage @ 50
import random

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import make_classification
from sklearn.metrics import f1_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

# Detecção de chamados fraudulentos: classe rara ~12%, rede pequena compilada.
SEMENTE = 13
EPOCAS = 20
LOTE = 64


def fixa_semente(s):
    random.seed(s)
    np.random.seed(s)
    torch.manual_seed(s)


def carrega():
    X, y = make_classification(n_samples=1200, n_features=16, n_informative=6, n_redundant=2,
                               weights=[0.88], flip_y=0.08, class_sep=1.3, random_state=SEMENTE)
    df = pd.DataFrame(X, columns=[f"v{k:02d}" for k in range(X.shape[1])])
    df["fraude"] = y
    return df


def equilibra(df, alvo="fraude"):
    """Repete linhas da classe rara até igualar a classe comum."""
    grupos = [g for _, g in df.groupby(alvo)]
    maior = max(len(g) for g in grupos)
    partes = [g if len(g) == maior else g.sample(maior, replace=True, random_state=SEMENTE) for g in grupos]
    return pd.concat(partes).sample(frac=1.0, random_state=SEMENTE).reset_index(drop=True)


def separa(df, alvo="fraude"):
    resto, teste = train_test_split(df, test_size=0.2, stratify=df[alvo], random_state=SEMENTE)
    treino, valid = train_test_split(resto, test_size=0.2, stratify=resto[alvo], random_state=SEMENTE)
    return treino, valid, teste


def prepara(alvo="fraude"):
    df = equilibra(carrega())
    treino, valid, teste = separa(df)
    escala = StandardScaler().fit(treino.drop(columns=alvo))
    def tensores(parte):
        X = escala.transform(parte.drop(columns=alvo)).astype(np.float32)
        return torch.from_numpy(X), torch.tensor(parte[alvo].to_numpy(), dtype=torch.float32)
    return tensores(treino), tensores(valid), tensores(teste)


def cria_rede(entradas):
    return nn.Sequential(
        nn.Linear(entradas, 128), nn.ReLU(),
        nn.Linear(128, 128), nn.ReLU(),
        nn.Linear(128, 1), nn.Flatten(0),
    )


def avalia(rede, X, y):
    rede.eval()
    with torch.no_grad():
        saida = rede(X)
        perda = nn.functional.binary_cross_entropy_with_logits(saida, y).item()
    palpite = (saida > 0).int().numpy()
    return perda, f1_score(y.numpy(), palpite), recall_score(y.numpy(), palpite)


def treina_epoca(rede, otim, X, y):
    rede.train()
    ordem, soma = torch.randperm(len(y)), 0.0
    for idx in ordem.split(LOTE):
        otim.zero_grad()
        perda = nn.functional.binary_cross_entropy_with_logits(rede(X[idx]), y[idx])
        perda.backward()
        otim.step()
        soma += perda.item() * len(idx)
    return soma / len(y)


if __name__ == "__main__":
    fixa_semente(SEMENTE)
    (Xt, yt), (Xv, yv), (Xe, ye) = prepara()
    print(f"linhas: treino {len(yt)}, validação {len(yv)}, teste {len(ye)}; fraude no treino {yt.mean():.2f}")
    crua = cria_rede(Xt.shape[1])
    rede = torch.compile(crua, backend="eager", dynamic=True)
    otim = torch.optim.AdamW(crua.parameters(), lr=2e-3, weight_decay=1e-2)
    melhor, guardado = -1.0, None
    for ep in range(1, EPOCAS + 1):
        perda = treina_epoca(rede, otim, Xt, yt)
        pv, f1, _ = avalia(crua, Xv, yv)
        if f1 > melhor:
            melhor, guardado = f1, {k: v.clone() for k, v in crua.state_dict().items()}
        if ep % 5 == 0:
            print(f"época {ep:2d}: treino {perda:.3f}  validação {pv:.3f}  F1 {f1:.3f}")
    crua.load_state_dict(guardado)
    _, f1, rec = avalia(crua, Xe, ye)
    print(f"teste: F1 {f1:.3f}, recall {rec:.3f}")
