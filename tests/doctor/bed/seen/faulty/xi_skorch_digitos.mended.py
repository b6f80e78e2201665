# expect: nothing
# needs: skorch
# Clasificación de dígitos con skorch
import numpy as np
import torch
from torch import nn
from skorch import NeuralNetClassifier
from skorch.dataset import ValidSplit
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

torch.manual_seed(4)
np.random.seed(4)


class Red(nn.Module):
    def __init__(self, ocultas=64):
        super().__init__()
        self.capas = nn.Sequential(
            nn.Linear(64, ocultas), nn.ReLU(),
            nn.Linear(ocultas, ocultas), nn.ReLU(),
            nn.Linear(ocultas, 10),
        )

    def forward(self, X):
        return self.capas(X)


X, y = load_digits(return_X_y=True)
X, y = (X / 16.0).astype(np.float32), y.astype(np.int64)
X_ent, X_pru, y_ent, y_pru = train_test_split(X, y, test_size=0.25, stratify=y, random_state=4)

red = NeuralNetClassifier(
    Red,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.003,
    max_epochs=15,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=ValidSplit(0.2, stratified=True, random_state=4),
    verbose=0,
)
red.fit(X_ent, y_ent)

for fila in red.history[::2]:
    print(f"época {fila['epoch']:2d}  entrenamiento {fila['train_loss']:.4f}  validación {fila['valid_loss']:.4f}")
print("exactitud en prueba:", round(accuracy_score(y_pru, red.predict(X_pru)), 4))
