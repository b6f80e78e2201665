# expect: unscaled_inputs @ 40
# needs: skorch
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X = X.astype(np.float32)
y = y.astype(np.int64)
X_ent, X_tst, y_ent, y_tst = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)


class Rede(nn.Module):
    def __init__(self, ocultos=32):
        super().__init__()
        self.entrada = nn.Linear(13, ocultos)
        self.saida = nn.Linear(ocultos, 3)

    def forward(self, x):
        return self.saida(torch.relu(self.entrada(x)))


rede = NeuralNetClassifier(
    Rede,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.005,
    max_epochs=30,
    batch_size=16,
    train_split=None,
    iterator_train__shuffle=True,
    verbose=0,
)
modelo = rede.fit(X_ent, y_ent)
print("acerto no treino:", round(modelo.score(X_ent, y_ent), 3))
print("acerto no teste:", round(modelo.score(X_tst, y_tst), 3))
