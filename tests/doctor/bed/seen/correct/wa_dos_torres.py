# expect: nothing
"""Recomendador de dos torres con negativos del propio lote (softmax muestreado y corrección log-q).

La torre de usuario lee el historial en orden; la de artículos, los atributos. Evaluación: el último
clic de cada usuario (prueba) y el penúltimo (validación), que nunca entran en el entrenamiento.
"""
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(21)
USUARIOS, ARTICULOS, LARGO, HIST = 160, 80, 14, 5

# --- datos: cada usuario pasea por géneros parecidos; los atributos describen el género con ruido
genero = torch.randint(0, 8, (ARTICULOS,))
atributos = F.one_hot(genero, 8).float() + 0.3 * torch.randn(ARTICULOS, 8)
clics = torch.zeros(USUARIOS, LARGO, dtype=torch.long)
for u in range(USUARIOS):
    gusto = int(torch.randint(0, 8, (1,)))
    libres = torch.ones(ARTICULOS)
    for t in range(LARGO):
        peso = libres * torch.where((genero - gusto) % 8 < 2, 1.0, 0.05)
        clics[u, t] = torch.multinomial(peso, 1)
        libres[clics[u, t]] = 0.0  # nadie repite artículo
        if torch.rand(1) < 0.15:
            gusto = (gusto + 1) % 8

entreno = clics[:, :-2]
ventanas = entreno.unfold(1, HIST + 1, 1).reshape(-1, HIST + 1)  # historial + siguiente clic
hist_ent, sig_ent = ventanas[:, :HIST], ventanas[:, HIST]
frecuencia = (torch.bincount(sig_ent, minlength=ARTICULOS) + 1.0) / (len(sig_ent) + ARTICULOS)
log_q = frecuencia.log()


class TorreArticulo(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.id = nn.Embedding(ARTICULOS, dim)
        nn.init.normal_(self.id.weight, std=0.1)
        self.attr = nn.Linear(8, dim)
        self.register_buffer("atributos", atributos)

    def forward(self, i):
        return F.normalize(self.id(i) + self.attr(self.atributos[i]), dim=-1)


class DosTorres(nn.Module):
    def __init__(self, dim=24):
        super().__init__()
        self.articulo = TorreArticulo(dim)
        self.gru = nn.GRU(dim, dim, batch_first=True)
        self.caida = nn.Dropout(0.1)
        self.log_temp = nn.Parameter(torch.tensor(2.0))

    def usuario(self, historial):
        _, h = self.gru(self.caida(self.articulo(historial)))
        return F.normalize(h[-1], dim=-1)

    def forward(self, historial, positivos):
        return self.usuario(historial) @ self.articulo(positivos).T * self.log_temp.exp()


def perdida_en_lote(modelo, historial, positivos):
    # la diagonal es lo correcto: cada fila debe escoger su propia columna
    puntos = modelo(historial, positivos) - log_q[positivos]
    gemelos = positivos[:, None] == positivos[None, :]
    gemelos.fill_diagonal_(False)  # el mismo artículo en otra fila no es un negativo
    return F.cross_entropy(puntos.masked_fill(gemelos, float("-inf")), torch.arange(len(positivos)))


@torch.inference_mode()
def recall(modelo, pasado, objetivo, k=10):
    modelo.eval()
    puntos = modelo.usuario(pasado[:, -HIST:]) @ modelo.articulo(torch.arange(ARTICULOS)).T
    puntos = puntos.scatter(1, pasado, float("-inf"))
    aciertos = (puntos.topk(k, dim=1).indices == objetivo[:, None]).any(dim=1)
    return aciertos.float().mean().item()


modelo = DosTorres()
optim = torch.optim.Adam(modelo.parameters(), lr=4e-3)
LOTE, MICRO, EPOCAS = 256, 2, 12  # cada paso suma los gradientes de dos micro-lotes
compilada = torch.compile(perdida_en_lote, backend="eager", dynamic=True)
mejor, guardado = -1.0, None
for epoca in range(1, EPOCAS + 1):
    modelo.train()
    lotes = torch.randperm(len(hist_ent)).split(LOTE)
    total = 0.0
    for lote in lotes:
        optim.zero_grad()
        for trozo in lote.chunk(MICRO):
            peso = len(trozo) / len(lote)
            perdida = compilada(modelo, hist_ent[trozo], sig_ent[trozo]) * peso
            perdida.backward()
            total += perdida.item() / len(lotes)
        optim.step()
    val = recall(modelo, entreno, clics[:, -2])
    if val > mejor:
        mejor, guardado = val, {n: t.clone() for n, t in modelo.state_dict().items()}
    if epoca % 3 == 0:
        print(f"época {epoca:2d}  pérdida {total:.4f}  recall@10 (validación) {val:.3f}")

modelo.load_state_dict(guardado)
print(f"recall@10 en prueba: {recall(modelo, clics[:, :-1], clics[:, -1]):.3f}  (al azar: {10 / (ARTICULOS - LARGO + 1):.3f})")
