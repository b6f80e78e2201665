# expect: seed_reset_each_epoch @ 49
# allowed: seed_reset_each_epoch @ 36
# allowed: seed_reset_each_epoch @ 50
# allowed: seed_reset_each_epoch @ 53
# allowed: seed_reset_each_epoch @ 79
# allowed: seed_reset_each_epoch @ 82
# mend: 38 +         self.rng = np.random.default_rng(semente)
# mend: 49 →         rng = self.rng
# Recomendador com fatoracao de matrizes e perda BPR, tensores puros (sem nn.Module).
# Os pares (usuario, item) positivos vem de um gosto latente; negativos sao sorteados.
import numpy as np
import torch
import torch.nn.functional as F

N_USUARIOS, N_ITENS, DIM = 120, 80, 8
CFG = {"semente": 7, "lote": 128, "epocas": 15, "lr": 0.02, "reg": 1e-4}


def simular(rng):
    gosto = rng.normal(size=(N_USUARIOS, 4))
    perfil = rng.normal(size=(N_ITENS, 4))
    afinidade = gosto @ perfil.T + rng.gumbel(size=(N_USUARIOS, N_ITENS)) * 0.5
    escolhidos = np.argsort(-afinidade, axis=1)[:, :14]
    treino, teste = [], []
    for u, itens in enumerate(escolhidos):
        itens = rng.permutation(itens)
        treino += [(u, i) for i in itens[:10]]
        teste += [(u, i) for i in itens[10:]]
    return np.array(treino), np.array(teste)


class AmostradorBPR:
    """Gera lotes (usuario, positivo, negativo); os negativos nunca foram vistos no treino."""

    def __init__(self, pares, lote, semente):
        self.pares, self.lote, self.semente = pares, lote, semente
        self.vistos = np.zeros((N_USUARIOS, N_ITENS), bool)
        self.vistos[pares[:, 0], pares[:, 1]] = True

    def sortear_negativos(self, usuarios, rng):
        neg = rng.integers(N_ITENS, size=len(usuarios))
        ruins = self.vistos[usuarios, neg]
        while ruins.any():
            neg[ruins] = rng.integers(N_ITENS, size=ruins.sum())
            ruins = self.vistos[usuarios, neg]
        return neg

    def __iter__(self):
        rng = np.random.default_rng(self.semente)
        ordem = rng.permutation(len(self.pares))
        for ini in range(0, len(ordem), self.lote):
            bloco = self.pares[ordem[ini:ini + self.lote]]
            neg = self.sortear_negativos(bloco[:, 0], rng)
            yield tuple(torch.from_numpy(v) for v in (bloco[:, 0], bloco[:, 1], neg))


def pontos(params, u, i):
    P, Q, b = params
    return (P[u] * Q[i]).sum(-1) + b[i]


def revocacao(params, treino, teste, k=10):
    with torch.no_grad():
        P, Q, b = params
        notas = (P @ Q.T + b).numpy().copy()
    notas[treino[:, 0], treino[:, 1]] = -np.inf   # nao recomendar o que ja foi visto
    topo = np.argsort(-notas, axis=1)[:, :k]
    return float(np.mean([i in topo[u] for u, i in teste]))


def treinar():
    torch.manual_seed(CFG["semente"])
    treino, teste = simular(np.random.default_rng(CFG["semente"]))
    P = (0.1 * torch.randn(N_USUARIOS, DIM)).requires_grad_()
    Q = (0.1 * torch.randn(N_ITENS, DIM)).requires_grad_()
    b = torch.zeros(N_ITENS, requires_grad=True)
    params = [P, Q, b]
    opt = torch.optim.Adam(params, lr=CFG["lr"])
    amostrador = AmostradorBPR(treino, CFG["lote"], CFG["semente"])
    for epoca in range(CFG["epocas"]):
        soma, n = 0.0, 0
        for u, pos, neg in amostrador:
            margem = pontos(params, u, pos) - pontos(params, u, neg)
            reg = (P[u] ** 2 + Q[pos] ** 2 + Q[neg] ** 2).sum(-1).mean()
            perda = -F.logsigmoid(margem).mean() + CFG["reg"] * reg
            opt.zero_grad()
            perda.backward()
            opt.step()
            soma += perda.item() * len(u)
            n += len(u)
        if epoca % 3 == 2:
            print(f"epoca {epoca + 1:2d}  perda {soma / n:.4f}")
    print(f"revocacao@10 no teste: {revocacao(params, treino, teste):.3f}")


if __name__ == "__main__":
    treinar()
