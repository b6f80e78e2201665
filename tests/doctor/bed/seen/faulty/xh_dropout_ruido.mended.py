# expect: nothing
# Clasificador con dropout fuerte sobre pocas filas ruidosas
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset
from sklearn.datasets import make_classification
from sklearn.preprocessing import StandardScaler

SEMILLA = 21
torch.manual_seed(SEMILLA)
np.random.seed(SEMILLA)

X, y = make_classification(n_samples=1600, n_features=20, n_informative=8, n_redundant=0,
                           n_classes=2, class_sep=1.3, flip_y=0.15, random_state=SEMILLA)
orden = np.random.permutation(len(X))
i_ent, i_val = orden[:400], orden[400:]
X = StandardScaler().fit(X[i_ent]).transform(X)

datos = TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y))
cargador_ent = DataLoader(Subset(datos, i_ent.tolist()), batch_size=40, shuffle=True)
cargador_val = DataLoader(Subset(datos, i_val.tolist()), batch_size=400)


class Red(nn.Module):
    def __init__(self, d, oculta=128, p=0.6):
        super().__init__()
        self.capas = nn.Sequential(
            nn.Linear(d, oculta), nn.ReLU(), nn.Dropout(p),
            nn.Linear(oculta, oculta), nn.ReLU(), nn.Dropout(p),
            nn.Linear(oculta, 2),
        )

    def forward(self, x):
        return self.capas(x)


def validar(red, cargador):
    red.eval()
    aciertos, costo, total = 0, 0.0, 0
    with torch.no_grad():
        for xb, yb in cargador:
            salida = red(xb)
            costo += nn.functional.cross_entropy(salida, yb, reduction="sum").item()
            aciertos += (salida.argmax(1) == yb).sum().item()
            total += len(yb)
    return aciertos / total, costo / total


red = Red(X.shape[1])
criterio = nn.CrossEntropyLoss()
optim = torch.optim.Adam(red.parameters(), lr=1e-3)

for epoca in range(1, 31):
    red.train()
    suma = 0.0
    for xb, yb in cargador_ent:
        optim.zero_grad()
        perdida = criterio(red(xb), yb)
        perdida.backward()
        optim.step()
        suma += perdida.item() * len(yb)
    exactitud, costo = validar(red, cargador_val)
    if epoca % 6 == 0:
        print(f"época {epoca:2d} | entrenamiento {suma / len(i_ent):.3f} "
              f"| validación {costo:.3f} | exactitud {exactitud:.3f}")
