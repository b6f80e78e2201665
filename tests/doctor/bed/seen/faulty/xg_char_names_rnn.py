# expect: detached_loss @ 81
# allowed: detached_loss @ 79
# allowed: detached_loss @ 83
# Clasificación de apellidos por idioma con una RNN de caracteres
# (el conjunto de apellidos se fabrica aquí mismo con sílabas de cada idioma)
import random
import string

import torch
import torch.nn as nn

random.seed(8)
torch.manual_seed(8)

LETRAS = string.ascii_lowercase
SILABAS = {
    "italiano": ["ri", "ci", "ne", "tta", "lli", "ro", "ssi", "go", "ma", "pe"],
    "ruso": ["ov", "sky", "kov", "ev", "ma", "pe", "ko", "ro", "vich", "ne"],
    "japones": ["ka", "shi", "mo", "to", "ya", "ma", "na", "ko", "ki", "ta"],
}
IDIOMAS = list(SILABAS)


def apellido(idioma):
    return "".join(random.choice(SILABAS[idioma]) for _ in range(random.randint(2, 4)))


vistos, datos = set(), []
for i in range(1500):
    idioma = i % 3
    s = apellido(IDIOMAS[idioma])
    while s in vistos:
        s = apellido(IDIOMAS[idioma])
    vistos.add(s)
    datos.append((s, idioma))
random.shuffle(datos)
entreno, prueba = datos[:1200], datos[1200:]


def codifica(s):
    x = torch.zeros(len(s), 1, len(LETRAS))
    for t, c in enumerate(s):
        x[t, 0, LETRAS.index(c)] = 1
    return x


class RNN(nn.Module):
    def __init__(self, entrada, oculto, salida):
        super().__init__()
        self.rnn = nn.RNN(entrada, oculto)
        self.h2o = nn.Linear(oculto, salida)

    def forward(self, x):
        _, h = self.rnn(x)
        return self.h2o(h[0])


red = RNN(len(LETRAS), 40, len(IDIOMAS))
criterio = nn.CrossEntropyLoss()
optimizador = torch.optim.Adam(red.parameters(), lr=3e-3)
LOTE = 20


def exactitud(pares):
    red.eval()
    with torch.no_grad():
        bien = sum(int(red(codifica(s)).argmax(1).item() == y) for s, y in pares)
    return bien / len(pares)


for epoca in range(4):
    red.train()
    random.shuffle(entreno)
    total = 0.0
    for i in range(0, len(entreno), LOTE):
        perdidas = []
        for s, y in entreno[i:i + LOTE]:
            salida = red(codifica(s))
            perdidas.append(criterio(salida, torch.tensor([y])).item())
        # media del lote
        perdida = torch.tensor(perdidas, requires_grad=True).mean()
        optimizador.zero_grad()
        perdida.backward()
        optimizador.step()
        total += perdida.item() * len(perdidas)
    print(f"época {epoca + 1}  pérdida {total / len(entreno):.4f}")

print(f"exactitud entreno {exactitud(entreno):.3f}  prueba {exactitud(prueba):.3f}")
