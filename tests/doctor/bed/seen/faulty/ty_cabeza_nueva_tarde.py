# expect: params_not_in_optimizer @ 81
# allowed: params_not_in_optimizer @ 82
# Transferencia: preentrenamos un codificador convolucional con los dígitos 0-5 y
# después lo adaptamos a los dígitos 6-9 (cuatro clases nuevas).
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class RedDigitos(nn.Module):
    def __init__(self, n_clases):
        super().__init__()
        self.cuerpo = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        )
        self.cabeza = nn.Linear(96, n_clases)

    def forward(self, x):
        return self.cabeza(self.cuerpo(x))


def datos(clases, semilla=0):
    """Imágenes en [0, 1] y etiquetas 0..len(clases)-1 de las clases pedidas."""
    bruto = load_digits()
    imgs = torch.tensor(bruto.images, dtype=torch.float32).unsqueeze(1) / 16.0
    etq = torch.tensor(bruto.target)
    mapa = {c: i for i, c in enumerate(clases)}
    quedan = torch.tensor([i for i, e in enumerate(etq.tolist()) if e in mapa])
    y = torch.tensor([mapa[e] for e in etq[quedan].tolist()])
    ent, pru = train_test_split(torch.arange(len(quedan)).numpy(), test_size=0.3,
                                stratify=y.numpy(), random_state=semilla)
    x = imgs[quedan]
    return (x[ent], y[ent]), (x[pru], y[pru])


def congelar(modulo):
    for p in modulo.parameters():
        p.requires_grad_(False)


def nueva_cabeza(red, n_clases):
    red.cabeza = nn.Linear(red.cabeza.in_features, n_clases)


def hacer_optimizador(red, lr):
    entrenables = [p for p in red.parameters() if p.requires_grad]
    return torch.optim.Adam(entrenables, lr=lr)


def entrenar(red, opt, x, y, epocas, lote=32, nombre=""):
    red.train()
    for ep in range(epocas):
        suma = 0.0
        for idx in torch.randperm(len(x)).split(lote):
            opt.zero_grad()
            perdida = F.cross_entropy(red(x[idx]), y[idx])
            perdida.backward()
            opt.step()
            suma += perdida.item() * len(idx)
        print(f"[{nombre}] época {ep}: pérdida {suma / len(x):.4f}")


def acierto(red, x, y):
    red.eval()
    with torch.no_grad():
        return (red(x).argmax(dim=1) == y).float().mean().item()


torch.manual_seed(42)
base_ent, base_pru = datos([0, 1, 2, 3, 4, 5])
red = RedDigitos(n_clases=6)
entrenar(red, hacer_optimizador(red, 5e-3), *base_ent, epocas=5, nombre="base")
print("acierto base:", round(acierto(red, *base_pru), 3))

# --- adaptación: solo el último bloque convolucional y la cabeza ---
nuevo_ent, nuevo_pru = datos([6, 7, 8, 9])
congelar(red.cuerpo[:3])
opt = hacer_optimizador(red, 2e-3)
nueva_cabeza(red, n_clases=4)
entrenar(red, opt, *nuevo_ent, epocas=6, nombre="nuevo")
print("acierto nuevo:", round(acierto(red, *nuevo_pru), 3))
