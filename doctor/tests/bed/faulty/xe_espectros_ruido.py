# missed: duplicate_leakage @ 59
# allowed: duplicate_leakage @ 44
# mend: 59 →     entrena, prueba = repartir(leer())
# mend: 59 +     entrena = ConRuido(entrena)
"""Espectros sinteticos con pocas muestras; se amplian con copias ruidosas y se entrena un MLP."""
import torch
from sklearn.datasets import make_classification
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split

COPIAS = 5
SEMILLA = 40


class ConRuido(Dataset):
    """cada muestra aparece `copias` veces, cada vez con un poco de ruido de medida"""

    def __init__(self, base, copias=COPIAS, sigma=0.05):
        self.base = base
        self.copias = copias
        g = torch.Generator().manual_seed(SEMILLA)
        ancho = base[0][0].numel()
        self.ruido = sigma * torch.randn(len(base) * copias, ancho, generator=g)

    def __len__(self):
        return len(self.base) * self.copias

    def __getitem__(self, i):
        x, y = self.base[i % len(self.base)]
        return x + self.ruido[i], y


def leer():
    X, y = make_classification(
        n_samples=400, n_features=20, n_informative=6, n_redundant=2, n_classes=2,
        class_sep=1.2, flip_y=0.15, random_state=SEMILLA,
    )
    return TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y))


def repartir(muestras, fraccion=0.7):
    n = int(fraccion * len(muestras))
    g = torch.Generator().manual_seed(SEMILLA + 1)
    return random_split(muestras, [n, len(muestras) - n], generator=g)


def medir(red, cargador):
    red.eval()
    bien, total = 0, 0
    with torch.no_grad():
        for x, y in cargador:
            bien += (red(x).argmax(dim=1) == y).sum().item()
            total += len(y)
    return bien / total


def main():
    torch.manual_seed(SEMILLA)
    entrena, prueba = repartir(ConRuido(leer()))
    print(f"{len(entrena)} filas de entrenamiento, {len(prueba)} de prueba")
    c_ent = DataLoader(entrena, batch_size=64, shuffle=True)
    c_pru = DataLoader(prueba, batch_size=128)

    red = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))
    opt = torch.optim.Adam(red.parameters(), lr=3e-3, weight_decay=1e-3)
    criterio = nn.CrossEntropyLoss()
    for epoca in range(1, 16):
        red.train()
        suma = 0.0
        for x, y in c_ent:
            opt.zero_grad()
            perdida = criterio(red(x), y)
            perdida.backward()
            opt.step()
            suma += perdida.item() * len(y)
        if epoca % 5 == 0:
            print(f"epoca {epoca}: perdida {suma / len(entrena):.4f}")
    print(f"exactitud: entrenamiento {medir(red, c_ent):.3f}, prueba {medir(red, c_pru):.3f}")


if __name__ == "__main__":
    main()
