# expect: nothing
"""Recomendador: fatoração de matrizes com tensores soltos (sem nn.Module)."""
from collections import OrderedDict

import torch

N_USUARIOS, N_ITENS, POSTO = 120, 80, 4
DIM = 8


def gerar_notas(gen):
    """Notas em torno de 3, com gosto latente de usuários e itens."""
    gosto = torch.randn(N_USUARIOS, POSTO, generator=gen)
    estilo = torch.randn(N_ITENS, POSTO, generator=gen)
    completo = 3.0 + 0.5 * gosto @ estilo.T
    completo += 0.3 * torch.randn(N_ITENS, generator=gen)
    # cada par (usuário, item) aparece no máximo uma vez
    pares = torch.randperm(N_USUARIOS * N_ITENS, generator=gen)[:5000]
    u, i = pares // N_ITENS, pares % N_ITENS
    nota = completo[u, i] + 0.1 * torch.randn(len(pares), generator=gen)
    corte = 4200
    treino = (u[:corte], i[:corte], nota[:corte])
    teste = (u[corte:], i[corte:], nota[corte:])
    return treino, teste


def criar_parametros(gen, media):
    n = lambda *forma: torch.randn(*forma, generator=gen)
    p = OrderedDict()
    p["usuario_tabela"] = 0.3 * n(N_USUARIOS, DIM)
    p["item_tabela"] = 0.3 * n(N_ITENS, DIM)
    p["mistura_weight"] = torch.eye(DIM) + 0.05 * n(DIM, DIM)
    p["usuario_bias"] = torch.zeros(N_USUARIOS)
    p["item_bias"] = torch.zeros(N_ITENS)
    p["global_bias"] = torch.tensor(float(media))
    for t in p.values():
        t.requires_grad_()
    return p


def prever(p, u, i):
    perfil = p["usuario_tabela"][u] @ p["mistura_weight"]
    produto = torch.einsum("nd,nd->n", perfil, p["item_tabela"][i])
    return produto + p["usuario_bias"][u] + p["item_bias"][i] + p["global_bias"]


def grupos(p, decaimento):
    """Só as matrizes recebem decaimento; o resto fica livre."""
    com = [t for nome, t in p.items() if nome.endswith("_weight")]
    sem = [t for nome, t in p.items() if not nome.endswith("_weight")]
    return [{"params": com, "weight_decay": decaimento},
            {"params": sem, "weight_decay": 0.0}]


def rmse(p, dados):
    u, i, nota = dados
    with torch.no_grad():
        return torch.sqrt(torch.mean((prever(p, u, i) - nota) ** 2)).item()


def rodar(epocas=20, lote=128, taxa=0.01):
    gen = torch.Generator().manual_seed(21)
    treino, teste = gerar_notas(gen)
    u, i, nota = treino
    p = criar_parametros(gen, nota.mean())
    otim = torch.optim.AdamW(grupos(p, 1e-3), lr=taxa)
    print("rmse inicial (treino): %.3f" % rmse(p, treino))
    for ep in range(epocas):
        acumulado = 0.0
        for idx in torch.randperm(len(nota), generator=gen).split(lote):
            otim.zero_grad()
            erro = prever(p, u[idx], i[idx]) - nota[idx]
            perda = (erro ** 2).mean()
            perda.backward()
            otim.step()
            acumulado += perda.item() * len(idx)
        if ep % 4 == 3:
            print("época %02d  mse %.4f" % (ep + 1, acumulado / len(nota)))
    print("rmse treino %.3f | teste %.3f" % (rmse(p, treino), rmse(p, teste)))


if __name__ == "__main__":
    rodar()
