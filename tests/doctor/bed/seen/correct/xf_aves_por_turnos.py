# expect: nothing
# Tabla ordenada por clase, pero los lotes salen de un muestreador propio con la misma parte de cada clase.
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset

torch.manual_seed(19)
azar = np.random.default_rng(19)
especie = np.repeat([1, 2, 3], 500)  # así vienen en la ficha: 1, 2, 3
aves = pd.DataFrame({
    "ala": azar.normal(np.array([0, 18, 20, 23])[especie], 1.5),
    "pico": azar.normal(np.array([0, 4.0, 3.2, 4.4])[especie], 0.5),
    "peso": azar.normal(np.array([0, 310, 360, 350])[especie], 30),
    "especie": especie,
})


class PorTurnos(Sampler):
    """Lotes con igual número de filas de cada clase, en orden nuevo cada época."""

    def __init__(self, clases, por_clase, semilla):
        self.filas = [torch.nonzero(clases == c).flatten() for c in clases.unique()]
        self.por_clase = por_clase
        self.azar = torch.Generator().manual_seed(semilla)

    def __len__(self):
        return min(len(f) for f in self.filas) // self.por_clase

    def __iter__(self):
        mezcladas = [f[torch.randperm(len(f), generator=self.azar)] for f in self.filas]
        for k in range(len(self)):
            trozo = slice(k * self.por_clase, (k + 1) * self.por_clase)
            yield torch.cat([m[trozo] for m in mezcladas]).tolist()


ajuste, prueba = train_test_split(aves, test_size=0.3, stratify=aves["especie"], random_state=19)
ajuste = ajuste.sort_values("especie")
medidas = ["ala", "pico", "peso"]
escala = StandardScaler().fit(ajuste[medidas])


def a_tensores(tabla):
    x = torch.tensor(escala.transform(tabla[medidas]), dtype=torch.float32)
    return x, torch.tensor(tabla["especie"].to_numpy() - 1)


x_ajuste, y_ajuste = a_tensores(ajuste)
lotes = DataLoader(
    TensorDataset(x_ajuste, y_ajuste), batch_sampler=PorTurnos(y_ajuste, por_clase=14, semilla=19)
)

red = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 3))
opt = torch.optim.Adam(red.parameters(), lr=0.01)
for epoca in range(15):
    red.train()
    suma, filas = 0.0, 0
    for x, y in lotes:
        opt.zero_grad()
        # log_softmax a mano: las clases están en el último eje
        salida = red(x)
        registro = salida - salida.logsumexp(dim=-1, keepdim=True)
        perdida = -registro.gather(1, y[:, None]).mean()
        perdida.backward()
        opt.step()
        suma, filas = suma + perdida.item() * len(y), filas + len(y)
    if epoca % 5 == 4:
        print(f"época {epoca + 1:2d}: pérdida {suma / filas:.3f}")

red.eval()
x_prueba, y_prueba = a_tensores(prueba)
with torch.no_grad():
    dicho = red(x_prueba).argmax(dim=1)
print(f"acierto medio por especie: {balanced_accuracy_score(y_prueba, dicho):.3f}")
