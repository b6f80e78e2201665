# expect: nothing
# Classificação de nós num grafo com comunidades: GNN pequena escrita à mão.
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(5)
rng = np.random.default_rng(5)


def gerar_grafo(n=400, k=4, p_dentro=0.06, p_fora=0.008, d=10):
    comunidade = rng.integers(0, k, n)
    mesma = comunidade[:, None] == comunidade[None, :]
    sorteio = rng.random((n, n)) < np.where(mesma, p_dentro, p_fora)
    sorteio = np.triu(sorteio, 1)
    orig, dest = np.nonzero(sorteio | sorteio.T)
    centros = rng.normal(size=(k, d))
    atrib = 0.5 * centros[comunidade] + rng.normal(size=(n, d))
    return (torch.tensor(atrib, dtype=torch.float32),
            torch.tensor(np.stack([orig, dest])), torch.tensor(comunidade))


def media_vizinhos(mensagens, arestas, n):
    """Média das mensagens que chegam a cada nó (equivalente a scatter_mean)."""
    orig, dest = arestas
    soma = mensagens.new_zeros(n, mensagens.size(1))
    soma = soma.index_add(0, dest, mensagens[orig])
    grau = torch.bincount(dest, minlength=n).clamp(min=1)
    return soma / grau.unsqueeze(1)


class Camada(nn.Module):
    def __init__(self, entra, sai):
        super().__init__()
        self.proprio = nn.Linear(entra, sai)
        self.mensagem = nn.Linear(entra, sai, bias=False)

    def forward(self, h, arestas):
        vinda = media_vizinhos(self.mensagem(h), arestas, h.size(0))
        return self.proprio(h) + vinda


class RedeGrafo(nn.Module):
    def __init__(self, entra, oculto, classes):
        super().__init__()
        self.c1 = Camada(entra, oculto)
        self.c2 = Camada(oculto, classes)

    def forward(self, x, arestas):
        h = F.dropout(F.relu(self.c1(x, arestas)), 0.3, self.training)
        return self.c2(h, arestas)


def acerto(rede, x, arestas, y, quais):
    rede.eval()
    with torch.no_grad():
        palpite = rede(x, arestas).argmax(dim=1)
    return (palpite[quais] == y[quais]).float().mean().item()


x, arestas, y = gerar_grafo()
ordem = torch.randperm(len(y))
treino, valida, teste = ordem[:160], ordem[160:240], ordem[240:]
# padroniza só com as estatísticas dos nós de treino
x = (x - x[treino].mean(0)) / x[treino].std(0)

rede = RedeGrafo(x.size(1), 24, int(y.max()) + 1)
otim = torch.optim.Adam(rede.parameters(), lr=0.01, weight_decay=5e-4)

melhor, guardado = -1.0, None
for epoca in range(80):
    rede.train()
    otim.zero_grad()
    saida = rede(x, arestas)
    perda = F.cross_entropy(saida[treino], y[treino])
    perda.backward()
    otim.step()
    av = acerto(rede, x, arestas, y, valida)
    if av > melhor:
        melhor = av
        guardado = {nome: v.clone() for nome, v in rede.state_dict().items()}
    if epoca % 10 == 9:
        print(f"época {epoca + 1:3d}  perda {perda.item():.4f}  validação {av:.3f}")

rede.load_state_dict(guardado)
print(f"teste: {acerto(rede, x, arestas, y, teste):.3f} (melhor validação {melhor:.3f})")
