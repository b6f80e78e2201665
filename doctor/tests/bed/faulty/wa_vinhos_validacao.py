# expect: sorted_split @ 60
# allowed: sorted_split @ 65
# allowed: sorted_split @ 67
# mend: 14 → from sklearn.model_selection import StratifiedKFold
# mend: 60 →     yield from StratifiedKFold(n_splits=K, shuffle=True, random_state=0).split(X, y)
# -*- coding: utf-8 -*-
# Exercício 7: validação cruzada com uma rede pequena (conjunto "wine")
from functools import partial

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.model_selection import KFold
from sklearn.datasets import load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from torch.utils.data import DataLoader, TensorDataset

K = 3


def preprocessador():
    return make_pipeline(StandardScaler(),
                         FunctionTransformer(partial(np.asarray, dtype=np.float32)))


def rede(n_entradas, n_classes):
    return nn.Sequential(nn.Linear(n_entradas, 20), nn.ReLU(), nn.Linear(20, n_classes))


class Treinador:
    def __init__(self, modelo, lr=0.01, epocas=20):
        self.modelo, self.epocas = modelo, epocas
        self.otimizador = torch.optim.Adam(modelo.parameters(), lr=lr)
        self.custo = nn.CrossEntropyLoss()

    def ajusta(self, X, y):
        lotes = DataLoader(TensorDataset(torch.from_numpy(X), torch.from_numpy(y)),
                           batch_size=20, shuffle=True)
        self.modelo.train()
        for _ in range(self.epocas):
            medias = []
            for xb, yb in lotes:
                custo = self.custo(self.modelo(xb), yb)
                self.otimizador.zero_grad()
                custo.backward()
                self.otimizador.step()
                medias.append(custo.item())
        return sum(medias) / len(medias)

    @torch.no_grad()
    def preve(self, X):
        self.modelo.eval()
        return self.modelo(torch.from_numpy(X)).argmax(1).numpy()


def divisoes(X, y):
    """Gera os índices (treino, validação) de cada dobra."""
    yield from KFold(n_splits=K).split(X, y)


def principal():
    torch.manual_seed(0)
    X, y = load_wine(return_X_y=True, as_frame=True)
    resumo = []
    for dobra, (i_tr, i_va) in enumerate(divisoes(X, y)):
        prep = preprocessador()
        X_tr = prep.fit_transform(X.iloc[i_tr].to_numpy())
        X_va = prep.transform(X.iloc[i_va].to_numpy())
        y_tr, y_va = (y.iloc[i].to_numpy(copy=True) for i in (i_tr, i_va))

        treinador = Treinador(rede(X.shape[1], y.nunique()))
        perda = treinador.ajusta(X_tr, y_tr)
        previsto = treinador.preve(X_va)
        resumo.append((dobra, perda, (previsto == y_va).mean()))
        print("dobra", dobra, "| perda final", round(perda, 4),
              "| acertos", f"{(previsto == y_va).sum()}/{len(y_va)}")
    tabela = pd.DataFrame(resumo, columns=["dobra", "perda", "acuracia"])
    print(tabela.to_string(index=False, float_format="%.3f"))
    print(f"acurácia média: {tabela.acuracia.mean():.3f}")


if __name__ == "__main__":
    principal()
