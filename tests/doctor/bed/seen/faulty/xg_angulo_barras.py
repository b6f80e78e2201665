# expect: target_broadcast @ 72
# allowed: target_broadcast @ 49
# allowed: target_broadcast @ 33
# allowed: target_broadcast @ 69
# allowed: target_broadcast @ 45
# Regresión: estimar la inclinación de una barra en una imagen 16x16
import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset, DataLoader

rng = np.random.default_rng(11)
torch.manual_seed(11)


def dibujar(angulo, lado=16):
    yy, xx = np.mgrid[0:lado, 0:lado] - (lado - 1) / 2
    cx, cy = rng.uniform(-2, 2, size=2)
    dist = np.abs((xx - cx) * np.sin(angulo) - (yy - cy) * np.cos(angulo))
    img = np.clip(1.6 - dist, 0, 1)
    return (img + rng.normal(0, 0.08, img.shape)).astype(np.float32)


class Barras(Dataset):
    def __init__(self, n):
        self.angulos = rng.uniform(-1.2, 1.2, size=n).astype(np.float32)
        self.imagenes = np.stack([dibujar(a) for a in self.angulos])[:, None]

    def __len__(self):
        return len(self.angulos)

    def __getitem__(self, i):
        return torch.from_numpy(self.imagenes[i]), torch.tensor(self.angulos[i])


class RedAngulo(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.fc = nn.Sequential(
            nn.Flatten(), nn.Linear(16 * 16, 64), nn.ReLU(),
            nn.Linear(64, 1),
        )

    def forward(self, x):
        return self.fc(self.conv(x))


entrenamiento = Barras(1200)
validacion = Barras(300)
dl_train = DataLoader(entrenamiento, batch_size=50, shuffle=True)
dl_val = DataLoader(validacion, batch_size=100)

red = RedAngulo()
optimizador = torch.optim.Adam(red.parameters(), lr=1e-3)
criterio = nn.MSELoss()

import warnings
warnings.filterwarnings("ignore")

for epoca in range(1, 16):
    red.train()
    suma = 0.0
    for imagenes, angulos in dl_train:
        optimizador.zero_grad()
        salida = red(imagenes)
        # salida: prediccion de la red
        # angulos: en radianes
        perdida = criterio(salida, angulos)
        perdida.backward()
        optimizador.step()
        suma += perdida.item() * len(imagenes)
    if epoca % 3 == 0:
        print("época", epoca, "ecm", round(suma / len(entrenamiento), 5))

red.eval()
errores = []
with torch.no_grad():
    for imagenes, angulos in dl_val:
        pred = red(imagenes)[:, 0]
        errores.append((pred - angulos).abs())
errores = torch.cat(errores)
print("error absoluto medio: %.2f grados" % np.degrees(errores.mean().item()))
print("desviación de los ángulos: %.2f grados" % np.degrees(validacion.angulos.std()))
