# expect: test_in_train @ 105
# allowed: test_in_train @ 82
# allowed: test_in_train @ 83
# allowed: test_in_train @ 104
# allowed: test_in_train @ 107
# allowed: test_in_train @ 109
"""Clasificador de intenciones: elige el número de épocas con validación y reentrena al final."""
import itertools
import random

import torch
from torch import nn

INTENCIONES = {
    0: "abrir cuenta nueva registro alta formulario".split(),
    1: "cancelar baja cerrar anular devolver queja".split(),
    2: "saldo precio tarifa factura importe queja".split(),
}
RELLENO = ("quiero por favor mi el la una con para que hola ustedes cuando puedo hoy ayer "
           "banco tarjeta línea móvil cliente oficina contrato servicio").split()
LARGO = 9


def frases(n, rnd, ruido=0.12):
    """Frases distintas; parte de las etiquetas son erróneas, como en datos anotados a mano."""
    vistas, textos, etiquetas = set(), [], []
    while len(textos) < n:
        c = rnd.randrange(3)
        palabras = rnd.sample(RELLENO, LARGO - 2) + rnd.sample(INTENCIONES[c], 2)
        rnd.shuffle(palabras)
        if tuple(palabras) in vistas:
            continue
        vistas.add(tuple(palabras))
        textos.append(palabras)
        etiquetas.append(rnd.randrange(3) if rnd.random() < ruido else c)
    return textos, torch.tensor(etiquetas)


def vocabulario(textos):
    return {p: i + 1 for i, p in enumerate(sorted(set(itertools.chain.from_iterable(textos))))}


def codificar(textos, voc):
    return torch.tensor([[voc.get(p, 0) for p in t] for t in textos])


class RedIntencion(nn.Module):
    def __init__(self, n_voc, dim=48, clases=3):
        super().__init__()
        self.emb = nn.Embedding(n_voc + 1, dim)
        self.rnn = nn.GRU(dim, 64, batch_first=True, bidirectional=True)
        self.cab = nn.Linear(128, clases)

    def forward(self, ids):
        _, h = self.rnn(self.emb(ids))
        return self.cab(torch.cat((h[0], h[1]), dim=1))


def una_epoca(red, opt, ids, y, lote=32):
    red.train()
    acum = 0.0
    for sel in torch.randperm(len(ids)).split(lote):
        opt.zero_grad()
        perdida = nn.functional.cross_entropy(red(ids[sel]), y[sel])
        perdida.backward()
        opt.step()
        acum += perdida.item() * len(sel)
    return acum / len(ids)


@torch.no_grad()
def acierto(red, ids, y):
    red.eval()
    return (red(ids).argmax(1) == y).float().mean().item()


def nueva(n_voc, lr=3e-3):
    red = RedIntencion(n_voc)
    return red, torch.optim.Adam(red.parameters(), lr=lr)


def unir(partes, nombres):
    ids, y = zip(*(partes[n] for n in nombres))
    return torch.cat(ids), torch.cat(y)


def main():
    torch.manual_seed(2)
    textos, y = frases(700, random.Random(2))
    limites = {"ent": (0, 400), "val": (400, 550), "pru": (550, 700)}
    voc = vocabulario(textos[:400])
    partes = {n: (codificar(textos[a:b], voc), y[a:b]) for n, (a, b) in limites.items()}

    # 1) ¿cuántas épocas? -> validación
    red, opt = nueva(len(voc))
    curva = []
    for e in range(1, 11):
        perdida = una_epoca(red, opt, *partes["ent"])
        curva.append(acierto(red, *partes["val"]))
        print(f"época {e}: pérdida {perdida:.3f}  val {curva[-1]:.3f}")
    n_epocas = max(range(len(curva)), key=curva.__getitem__) + 1

    # 2) modelo final: se aprovecha también lo reservado para elegir
    red, opt = nueva(len(voc))
    ids_final, y_final = unir(partes, partes)
    for _ in range(n_epocas):
        perdida = una_epoca(red, opt, ids_final, y_final)
    print(f"reentrenado {n_epocas} épocas con {len(y_final)} frases, pérdida {perdida:.3f}")
    print(f"acierto en prueba: {acierto(red, *partes['pru']):.3f}")


if __name__ == "__main__":
    main()
