# needs: skorch
# expect: target_broadcast @ 45
# allowed: target_broadcast @ 59
# allowed: target_broadcast @ 62
# allowed: target_broadcast @ 66
# allowed: target_broadcast @ 68
# allowed: target_broadcast @ 86
# Previsão do consumo de energia de casas (tabela sintética) com skorch.
import numpy as np
import torch
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import KFold, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from skorch.callbacks import LRScheduler
from torch import nn


def gerar_tabela(n=900, semente=0):
    rng = np.random.default_rng(semente)
    area = rng.uniform(40, 300, n)
    moradores = rng.integers(1, 7, n)
    idade = rng.uniform(0, 60, n)
    isolamento = rng.choice([0.0, 0.5, 1.0], n)
    graus_dia = rng.normal(1800, 400, n)
    kwh = (
        12 * area + 450 * moradores + 15 * idade
        + 0.02 * area * graus_dia * (1.4 - isolamento) / 2
        + rng.normal(0, 250, n)
    )
    X = np.column_stack([area, moradores, idade, isolamento, graus_dia])
    return X.astype(np.float32), kwh.astype(np.float32)


class Escala:
    """Padroniza o alvo com a média e o desvio do conjunto de treino."""

    def fit(self, y):
        self.m, self.s = y.mean(), y.std()
        return self

    def ida(self, y):
        z = (y - self.m) / self.s
        return z

    def volta(self, z):
        return np.asarray(z).reshape(-1) * self.s + self.m


class Rede(nn.Module):
    def __init__(self, entradas=5, largura=32, camadas=2):
        super().__init__()
        blocos, d = [], entradas
        for _ in range(camadas):
            blocos += [nn.Linear(d, largura), nn.GELU()]
            d = largura
        self.corpo = nn.Sequential(*blocos)
        self.saida = nn.Linear(d, 1)

    def forward(self, X):
        return self.saida(self.corpo(X))


def montar():
    rede = NeuralNetRegressor(
        Rede,
        criterion=nn.MSELoss,
        optimizer=torch.optim.Adam,
        lr=5e-3,
        max_epochs=25,
        batch_size=64,
        iterator_train__shuffle=True,
        train_split=None,
        callbacks=[
            ("taxa", LRScheduler(policy="StepLR", step_size=10, gamma=0.5)),
        ],
        verbose=0,
    )
    return Pipeline([("escala", StandardScaler()), ("rede", rede)])


def avaliar(X_a, y_a, X_b, y_b):
    escala = Escala().fit(y_a)
    modelo = montar()
    modelo.fit(X_a, escala.ida(y_a))
    previsto = escala.volta(modelo.predict(X_b))
    historia = modelo.named_steps["rede"].history
    print(
        f"  perda treino {historia[-1, 'train_loss']:.3f}"
        f"  R2 {r2_score(y_b, previsto):.3f}  MAE {mean_absolute_error(y_b, previsto):.0f} kWh"
    )
    return r2_score(y_b, previsto)


if __name__ == "__main__":
    torch.manual_seed(3)
    X, y = gerar_tabela()
    X_dev, X_teste, y_dev, y_teste = train_test_split(X, y, test_size=0.2, random_state=3)

    print("validação cruzada:")
    notas = []
    for tr, va in KFold(3, shuffle=True, random_state=3).split(X_dev):
        notas.append(avaliar(X_dev[tr], y_dev[tr], X_dev[va], y_dev[va]))
    print(f"R2 médio {np.mean(notas):.3f}")

    print("teste final:")
    avaliar(X_dev, y_dev, X_teste, y_teste)
