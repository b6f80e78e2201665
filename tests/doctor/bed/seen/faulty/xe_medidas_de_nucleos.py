# expect: unscaled_inputs @ 34
# needs: skorch
# allowed: unscaled_inputs @ 35
# allowed: unscaled_inputs @ 54
# allowed: unscaled_inputs @ 59
# Medidas tiradas de imagens de núcleos (área, perímetro, textura...), rede pequena com skorch.
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from skorch import NeuralNetClassifier

SEMENTE = 17


class Rede(nn.Module):
    def __init__(self, entradas=30, ocultas=24):
        super().__init__()
        self.entrada = nn.Linear(entradas, ocultas)
        self.meio = nn.Linear(ocultas, 12)
        self.saida = nn.Linear(12, 2)

    def forward(self, x):
        x = torch.tanh(self.entrada(x))
        x = torch.tanh(self.meio(x))
        return self.saida(x)


def dobras(X, y, k=3):
    corte = StratifiedKFold(k, shuffle=True, random_state=SEMENTE)
    for treino, teste in corte.split(X, y):
        Xa, Xb = X[treino], X[teste]
        yield Xa.astype(np.float32), Xb.astype(np.float32), y[treino], y[teste]


def nova_rede():
    return NeuralNetClassifier(
        Rede,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=3e-3,
        batch_size=32,
        max_epochs=15,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def main():
    dados = load_breast_cancer()
    X, y = dados.data, dados.target.astype(np.int64)
    acertos, areas = [], []
    for i, (Xa, Xb, ya, yb) in enumerate(dobras(X, y)):
        torch.manual_seed(SEMENTE + i)
        rede = nova_rede()
        rede.fit(Xa, ya)
        prob = rede.predict_proba(Xb)
        acertos.append(balanced_accuracy_score(yb, prob.argmax(1)))
        areas.append(roc_auc_score(yb, prob[:, 1]))
        perda = rede.history[-1, "train_loss"]
        print(f"dobra {i + 1}: perda {perda:.4f}  acerto {acertos[-1]:.3f}  AUC {areas[-1]:.3f}")
    print(f"média: acerto balanceado {np.mean(acertos):.3f}, AUC {np.mean(areas):.3f}")


if __name__ == "__main__":
    main()
