# missed: missing_no_grad @ 73
# allowed: missing_no_grad @ 77
# allowed: missing_no_grad @ 78
# allowed: missing_no_grad @ 104
# mend: 72 +     @torch.no_grad()
"""Recomendador implícito (BPR) con datos sintéticos; validación por 'dejar uno fuera'."""
import argparse
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def generar_interacciones(n_usuarios, n_items, rng):
    gustos = rng.normal(size=(n_usuarios, 4))
    rasgos = rng.normal(size=(n_items, 4))
    afinidad = gustos @ rasgos.T + 0.5 * rng.gumbel(size=(n_usuarios, n_items))
    # cada usuario consumió sus 14 items más afines, en orden aleatorio
    top = np.argsort(-afinidad, axis=1)[:, :14]
    return np.stack([rng.permutation(fila) for fila in top])


class BPR(nn.Module):
    def __init__(self, n_usuarios, n_items, dim, p):
        super().__init__()
        self.usuario = nn.Embedding(n_usuarios, dim)
        self.item = nn.Embedding(n_items, dim)
        self.sesgo = nn.Embedding(n_items, 1)
        self.drop = nn.Dropout(p)
        nn.init.normal_(self.usuario.weight, std=0.1)
        nn.init.normal_(self.item.weight, std=0.1)
        nn.init.normal_(self.sesgo.weight, std=0.01)

    def forward(self, u, i):
        pu, qi = self.drop(self.usuario(u)), self.drop(self.item(i))
        return (pu * qi).sum(-1) + self.sesgo(i).squeeze(-1)

    def todos(self, u):
        """Puntuación de cada item para cada usuario de `u`: [len(u), n_items]."""
        return self.drop(self.usuario(u)) @ self.drop(self.item.weight).T + self.sesgo.weight.T


class Entrenador:
    def __init__(self, modelo, historial, args):
        self.modelo, self.args = modelo, args
        self.historial = historial
        self.visto = torch.zeros(historial.shape[0], args.items, dtype=torch.bool)
        self.visto.scatter_(1, historial, True)
        self.opt = torch.optim.Adam(modelo.parameters(), lr=args.lr, weight_decay=1e-5)
        n = historial.shape[0]
        self.pares = torch.stack(
            [torch.arange(n).repeat_interleave(historial.shape[1]), historial.flatten()], dim=1)

    def negativos(self, u):
        j = torch.randint(self.args.items, u.shape)
        while (malos := self.visto[u, j]).any():
            j[malos] = torch.randint(self.args.items, (int(malos.sum()),))
        return j

    def epoca(self):
        self.modelo.train()
        suma = 0.0
        for idx in torch.randperm(len(self.pares)).split(self.args.lote):
            u, i = self.pares[idx].unbind(1)
            j = self.negativos(u)
            perdida = -F.logsigmoid(self.modelo(u, i) - self.modelo(u, j)).mean()
            self.opt.zero_grad()
            perdida.backward()
            self.opt.step()
            suma += perdida.item() * len(idx)
        return suma / len(self.pares)

    def acierto(self, objetivo, k=10):
        """HR@k del item apartado, sin contar los ya vistos."""
        self.modelo.eval()
        aciertos = mrr = 0.0
        for u in torch.arange(len(objetivo)).split(100):
            puntos = self.modelo.todos(u).masked_fill(self.visto[u], float("-inf"))
            lista = puntos.topk(k, dim=1).indices
            iguales = lista == objetivo[u, None]
            aciertos += iguales.any(dim=1).sum().item()
            mrr += (iguales / torch.arange(1, k + 1)).sum().item()
        return aciertos / len(objetivo), mrr / len(objetivo)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--usuarios", type=int, default=400)
    ap.add_argument("--items", type=int, default=150)
    ap.add_argument("--dim", type=int, default=16)
    ap.add_argument("--lote", type=int, default=128)
    ap.add_argument("--epocas", type=int, default=10)
    ap.add_argument("--lr", type=float, default=5e-3)
    args = ap.parse_args()

    torch.manual_seed(5)
    datos = torch.from_numpy(generar_interacciones(args.usuarios, args.items, np.random.default_rng(5)))
    historial, apartado = datos[:, :-1].contiguous(), datos[:, -1]

    ent = Entrenador(BPR(args.usuarios, args.items, args.dim, p=0.1), historial, args)
    for ep in range(1, args.epocas + 1):
        perdida = ent.epoca()
        if ep % 2 == 0:
            hr, mrr = ent.acierto(apartado)
            print(f"época {ep:2d}  bpr={perdida:.4f}  HR@10={hr:.3f}  MRR@10={mrr:.3f}")


if __name__ == "__main__":
    main()
