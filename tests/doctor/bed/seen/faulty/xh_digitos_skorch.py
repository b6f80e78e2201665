# expect: softmax_before_cross_entropy @ 31
# needs: skorch
# allowed: softmax_before_cross_entropy @ 45
import numpy as np
import torch
from torch import nn
from skorch import NeuralNetClassifier
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

torch.manual_seed(7)
np.random.seed(7)


class RedeDigitos(nn.Module):
    """Duas camadas ocultas com dropout para os dígitos 8x8."""

    def __init__(self, n_entrada=64, n_oculta=96, n_classes=10, p=0.2):
        super().__init__()
        self.oculta1 = nn.Linear(n_entrada, n_oculta)
        self.oculta2 = nn.Linear(n_oculta, n_oculta)
        self.saida = nn.Linear(n_oculta, n_classes)
        self.dropout = nn.Dropout(p)

    def forward(self, X):
        h = torch.relu(self.oculta1(X))
        h = self.dropout(torch.relu(self.oculta2(h)))
        return torch.softmax(self.saida(h), dim=-1)


def carregar_dados():
    X, y = load_digits(return_X_y=True)
    X = X.astype(np.float32)
    y = y.astype(np.int64)
    return train_test_split(X, y, test_size=0.25, stratify=y, random_state=7)


X_treino, X_teste, y_treino, y_teste = carregar_dados()

rede = NeuralNetClassifier(
    RedeDigitos,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.SGD,
    optimizer__momentum=0.9,
    lr=0.02,
    max_epochs=15,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)

modelo = Pipeline([
    ("escala", StandardScaler()),
    ("rede", rede),
])
modelo.fit(X_treino, y_treino)

historico = modelo.named_steps["rede"].history
for linha in historico[::3]:
    print(f"época {linha['epoch']:2d}  perda de treino {linha['train_loss']:.4f}")

pred = modelo.predict(X_teste)
proba = modelo.predict_proba(X_teste)
print(f"acurácia no teste: {accuracy_score(y_teste, pred):.4f}")
print(f"log-loss no teste: {log_loss(y_teste, proba):.4f}")
