# expect: nothing
"""TBPTT con estado arrastrado, busqueda de ancho en validacion y reajuste con todo menos la prueba."""
import torch
from torch import nn

TROZO = 10


class Arrastre(nn.Module):
    def __init__(self, ancho):
        super().__init__()
        self.celda = nn.LSTMCell(1, ancho)
        self.salida = nn.Linear(ancho, 1)

    def inicio(self, n):
        cero = torch.zeros(n, self.celda.hidden_size)
        return cero, cero.clone()

    def forward(self, x, estado):
        estado = self.celda(x, estado)
        return self.salida(estado[0]), estado


def fabricar(n, pasos):
    """y_t: suma con olvido de las entradas anteriores, mas algo de ruido."""
    x = torch.randn(n, pasos, 1)
    y, memoria = [], torch.zeros(n, 1)
    for t in range(pasos):
        memoria = 0.8 * memoria + 0.6 * torch.tanh(x[:, t])
        y.append(memoria + 0.05 * torch.randn(n, 1))
    return x, torch.stack(y, dim=1)


def entrenar(ancho, x, y, epocas=9, lote=32):
    red = Arrastre(ancho)
    opt = torch.optim.Adam(red.parameters(), lr=8e-3)
    historia = []
    for _ in range(epocas):
        red.train()
        suma = 0.0
        for idx in torch.randperm(len(x)).split(lote):
            estado = red.inicio(len(idx))
            for ini in range(0, x.shape[1], TROZO):
                estado = tuple(e.detach() for e in estado)
                perdida = 0.0
                for t in range(ini, ini + TROZO):
                    pred, estado = red(x[idx, t], estado)
                    perdida = perdida + (pred - y[idx, t]).square().mean()
                perdida = perdida / TROZO
                opt.zero_grad()
                perdida.backward()
                opt.step()
                suma += perdida.item() * len(idx) * TROZO
        historia.append(suma / (len(x) * x.shape[1]))
    return red, historia


@torch.no_grad()
def error(red, x, y):
    red.eval()
    estado, suma = red.inicio(len(x)), 0.0
    for t in range(x.shape[1]):
        pred, estado = red(x[:, t], estado)
        suma += (pred - y[:, t]).square().mean()
    return (suma / x.shape[1]).item()


def main():
    torch.manual_seed(33)
    x, y = fabricar(480, 30)
    ent, val, pru = (slice(0, 300), slice(300, 380), slice(380, 480))
    puntos = {}
    for ancho in (4, 16):
        red, historia = entrenar(ancho, x[ent], y[ent])
        puntos[ancho] = error(red, x[val], y[val])
        print(f"ancho {ancho:2d}: entreno {historia[0]:.4f} -> {historia[-1]:.4f}  val {puntos[ancho]:.4f}")
    mejor = min(puntos, key=puntos.get)
    juntos = slice(0, 380)  # la eleccion ya esta hecha: val pasa a ser entreno
    red, historia = entrenar(mejor, x[juntos], y[juntos])
    print(f"reajuste con ancho {mejor}: entreno {historia[-1]:.4f}  prueba {error(red, x[pru], y[pru]):.4f}")
    print(f"varianza de la prueba {y[pru].var().item():.4f}")


if __name__ == "__main__":
    main()
