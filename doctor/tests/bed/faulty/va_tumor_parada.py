# missed: selection_on_test @ 103
# allowed: selection_on_test @ 83
# allowed: selection_on_test @ 87
# allowed: selection_on_test @ 90
# allowed: selection_on_test @ 93
# allowed: selection_on_test @ 94
# allowed: selection_on_test @ 105
# mend: 103 →     melhor = treinador.ajustar(dados["treino"], dados["val"])
# Classificação com poucas amostras: treino / validação / teste e parada antecipada.
import copy
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Cfg:
    max_epocas: int = 40
    paciencia: int = 15
    lote: int = 16
    lr: float = 5e-3
    semente: int = 4


class ParadaAntecipada:
    """Guarda os melhores pesos vistos e avisa quando a paciência acaba."""

    def __init__(self, paciencia):
        self.paciencia, self.melhor, self.espera, self.pesos = paciencia, -np.inf, 0, None

    def observar(self, valor, rede):
        if valor > self.melhor:
            self.melhor, self.espera = valor, 0
            self.pesos = copy.deepcopy(rede.state_dict())
        else:
            self.espera += 1
        return self.espera >= self.paciencia


def preparar(cfg):
    X, y = make_classification(n_samples=260, n_features=25, n_informative=5, n_redundant=2, flip_y=0.15,
                               class_sep=0.7, random_state=cfg.semente)
    X_tr, X_resto, y_tr, y_resto = train_test_split(X, y, test_size=0.5, stratify=y, random_state=1)
    X_va, X_te, y_va, y_te = train_test_split(X_resto, y_resto, test_size=0.5, stratify=y_resto, random_state=1)
    padrao = StandardScaler().fit(X_tr)

    def carregador(X, y, treino=False):
        ds = TensorDataset(torch.tensor(padrao.transform(X), dtype=torch.float32), torch.tensor(y))
        return DataLoader(ds, batch_size=cfg.lote if treino else 128, shuffle=treino)

    return {"treino": carregador(X_tr, y_tr, True), "val": carregador(X_va, y_va), "teste": carregador(X_te, y_te)}


class Treinador:
    def __init__(self, rede, cfg):
        self.rede, self.cfg = rede, cfg
        self.otim = torch.optim.Adam(rede.parameters(), lr=cfg.lr, weight_decay=1e-4)
        self.ce = nn.CrossEntropyLoss()

    def _uma_epoca(self, dados):
        self.rede.train()
        soma = 0.0
        for x, y in dados:
            self.otim.zero_grad()
            perda = self.ce(self.rede(x), y)
            perda.backward()
            self.otim.step()
            soma += perda.item() * len(y)
        return soma / len(dados.dataset)

    def acuracia(self, dados):
        self.rede.eval()
        with torch.no_grad():
            certos = sum((self.rede(x).argmax(1) == y).sum().item() for x, y in dados)
        return certos / len(dados.dataset)

    def ajustar(self, treino, monitor):
        parada = ParadaAntecipada(self.cfg.paciencia)
        for ep in range(1, self.cfg.max_epocas + 1):
            perda = self._uma_epoca(treino)
            nota = self.acuracia(monitor)
            if ep % 10 == 0:
                print(f"época {ep:3d}  perda {perda:.4f}  monitor {nota:.3f}")
            if parada.observar(nota, self.rede):
                print(f"parou na época {ep}")
                break
        self.rede.load_state_dict(parada.pesos)
        return parada.melhor


def main():
    cfg = Cfg()
    torch.manual_seed(cfg.semente)
    dados = preparar(cfg)
    rede = nn.Sequential(nn.Linear(25, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 2))
    treinador = Treinador(rede, cfg)
    melhor = treinador.ajustar(dados["treino"], dados["teste"])
    print(f"melhor valor monitorado: {melhor:.3f}")
    print(f"acurácia final no teste: {treinador.acuracia(dados['teste']):.3f}")


if __name__ == "__main__":
    main()
