# expect: missing_eval @ 57
# allowed: missing_eval @ 40
"""Red de dígitos escrita solo con tensores: capas, ruido y descenso hechos a mano."""
import math

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

CAPAS = (64, 96, 48, 10)
P_APAGAR = 0.4
EPOCAS = 12
LOTE = 64
PASO = 0.08
INERCIA = 0.9


def cargar():
    X, y = load_digits(return_X_y=True)
    Xa, Xb, ya, yb = train_test_split(X / 16.0, y, test_size=0.25, stratify=y, random_state=3)
    a_tensor = lambda m: torch.tensor(m, dtype=torch.float32)
    return a_tensor(Xa), torch.tensor(ya), a_tensor(Xb), torch.tensor(yb)


def iniciar(capas):
    pesos = []
    for entra, sale in zip(capas[:-1], capas[1:]):
        W = (torch.randn(entra, sale) * math.sqrt(2.0 / entra)).requires_grad_()
        b = torch.zeros(sale, requires_grad=True)
        pesos.append((W, b))
    return pesos


def apagar(h, p):
    """Apaga unidades al azar y reescala las que quedan."""
    vivas = (torch.rand_like(h) >= p).to(h.dtype)
    return h * vivas / (1.0 - p)


def red(pesos, x, p=P_APAGAR):
    h = x
    for W, b in pesos[:-1]:
        h = torch.clamp(h @ W + b, min=0.0)
        if p > 0:
            h = apagar(h, p)
    W, b = pesos[-1]
    return h @ W + b


def costo(z, y):
    """Entropía cruzada con log-sum-exp."""
    return (torch.logsumexp(z, dim=1) - z.gather(1, y[:, None]).squeeze(1)).mean()


def medir(pesos, X, y):
    with torch.no_grad():
        z = red(pesos, X)
        return costo(z, y).item(), (z.argmax(dim=1) == y).float().mean().item()


def lotes(n, tam):
    yield from torch.randperm(n).split(tam)


def entrenar(pesos, X, y):
    hojas = [t for par in pesos for t in par]
    velocidad = [torch.zeros_like(t) for t in hojas]
    for epoca in range(EPOCAS):
        suma = 0.0
        for idx in lotes(len(X), LOTE):
            perdida = costo(red(pesos, X[idx], p=P_APAGAR), y[idx])
            grads = torch.autograd.grad(perdida, hojas)
            with torch.no_grad():
                for t, v, g in zip(hojas, velocidad, grads):
                    v.mul_(INERCIA).add_(g)
                    t.sub_(PASO * v)
            suma += perdida.item() * len(idx)
        print(f"época {epoca:2d}  pérdida {suma / len(X):.4f}")


if __name__ == "__main__":
    torch.manual_seed(11)
    Xa, ya, Xb, yb = cargar()
    pesos = iniciar(CAPAS)
    entrenar(pesos, Xa, ya)
    for nombre, X, y in (("entrenamiento", Xa, ya), ("prueba", Xb, yb)):
        c, acierto = medir(pesos, X, y)
        print(f"{nombre}: pérdida {c:.4f}, acierto {acierto:.3f}")
