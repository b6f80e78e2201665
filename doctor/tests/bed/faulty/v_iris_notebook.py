# expect: softmax_before_cross_entropy @ 45
# allowed: softmax_before_cross_entropy @ 35
# allowed: softmax_before_cross_entropy @ 46
# mend: 45 →         salida = modelo.puntajes(X_ent[lote])
"""Clasificador de flores iris, celdas de un cuaderno reunidas en un guion."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

# %% datos
torch.manual_seed(7)
datos = load_iris()
X_ent, X_pru, y_ent, y_pru = train_test_split(
    datos.data.astype(np.float32), datos.target, test_size=0.3, random_state=7, stratify=datos.target)
escala = StandardScaler().fit(X_ent)
X_ent = torch.from_numpy(escala.transform(X_ent))
X_pru = torch.from_numpy(escala.transform(X_pru))
y_ent, y_pru = torch.from_numpy(y_ent), torch.from_numpy(y_pru)


# %% modelo
class Flores(torch.nn.Module):
    def __init__(self, ocultas):
        super().__init__()
        self.capa1 = torch.nn.Linear(4, ocultas)
        self.capa2 = torch.nn.Linear(ocultas, 3)

    def puntajes(self, x):
        return self.capa2(torch.tanh(self.capa1(x)))

    def predecir_proba(self, x):
        return F.softmax(self.puntajes(x), dim=1)


# %% entrenamiento
modelo = Flores(16)
optimizador = torch.optim.Adam(modelo.parameters(), lr=0.02)
for epoca in range(40):
    orden = torch.randperm(len(X_ent))
    suma = 0.0
    for lote in orden.chunk(5):
        salida = modelo.predecir_proba(X_ent[lote])
        perdida = F.cross_entropy(salida, y_ent[lote])
        optimizador.zero_grad()
        perdida.backward()
        optimizador.step()
        suma += perdida.item()
    if epoca % 10 == 9:
        print(f"epoca {epoca + 1}: perdida {suma / 5:.4f}")

# %% prueba
modelo.eval()
with torch.no_grad():
    proba = modelo.predecir_proba(X_pru)
    aciertos = (proba.argmax(1) == y_pru).float().mean().item()
    nll = -proba[torch.arange(len(y_pru)), y_pru].log().mean().item()
print(f"exactitud {aciertos:.3f} nll {nll:.4f}")
