# expect: augment_on_test @ 79
# allowed: augment_on_test @ 16
# allowed: augment_on_test @ 36
# allowed: augment_on_test @ 81
# mend: 79 →     prueba = DigitosDataset(X_pru, y_pru, aumentar=False)
"""Clasificador de dígitos 8x8 con aumento de datos (desplazamiento, ruido, borrado)."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class DigitosDataset(Dataset):
    def __init__(self, imagenes, etiquetas, aumentar=True):
        self.imagenes = torch.tensor(imagenes, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
        self.etiquetas = torch.tensor(etiquetas, dtype=torch.long)
        self.aumentar = aumentar

    def __len__(self):
        return len(self.etiquetas)

    def _transformar(self, img):
        dx, dy = np.random.randint(-1, 2, size=2)
        img = torch.roll(img, shifts=(int(dy), int(dx)), dims=(1, 2))
        img = img + 0.1 * torch.randn_like(img)
        if np.random.rand() < 0.3:
            fila, col = np.random.randint(0, 7, size=2)
            img[:, fila:fila + 2, col:col + 2] = 0.0
        return img

    def __getitem__(self, i):
        img = self.imagenes[i].clone()
        if self.aumentar:
            img = self._transformar(img)
        return img, self.etiquetas[i]


class RedConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.extractor = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        )
        self.salida = nn.Linear(32 * 4 * 4, 10)

    def forward(self, x):
        return self.salida(self.extractor(x).flatten(1))


def entrenar_epoca(red, datos, optim, perdida):
    red.train()
    total = 0.0
    for x, y in datos:
        optim.zero_grad()
        valor = perdida(red(x), y)
        valor.backward()
        optim.step()
        total += valor.item() * len(y)
    return total / len(datos.dataset)


@torch.no_grad()
def evaluar(red, datos):
    red.eval()
    bien = sum((red(x).argmax(dim=1) == y).sum().item() for x, y in datos)
    return bien / len(datos.dataset)


def principal():
    np.random.seed(9)
    torch.manual_seed(9)
    X, y = load_digits(return_X_y=True)
    X_ent, X_pru, y_ent, y_pru = train_test_split(X, y, test_size=0.3, stratify=y, random_state=9)

    entrenamiento = DigitosDataset(X_ent, y_ent)
    prueba = DigitosDataset(X_pru, y_pru)
    cargador_ent = DataLoader(entrenamiento, batch_size=64, shuffle=True)
    cargador_pru = DataLoader(prueba, batch_size=256)

    red = RedConv()
    optim = torch.optim.Adam(red.parameters(), lr=3e-3)
    for epoca in range(1, 8):
        perdida = entrenar_epoca(red, cargador_ent, optim, nn.CrossEntropyLoss())
        print(f"época {epoca}  pérdida {perdida:.4f}")
    print(f"exactitud en prueba: {evaluar(red, cargador_pru):.4f}")


if __name__ == "__main__":
    principal()
