# expect: softmax_wrong_dim @ 29
# Atenção sobre uma sequência de pares chave/valor: qual é o valor da chave pedida?
import math
import torch
import torch.nn as nn

torch.manual_seed(7)
N_CHAVES, N_VALORES, PARES = 8, 6, 5


def gerar(n):
    chaves = torch.stack([torch.randperm(N_CHAVES)[:PARES] for _ in range(n)])
    valores = torch.randint(N_VALORES, (n, PARES))
    onde = torch.randint(PARES, (n,))
    linhas = torch.arange(n)
    return chaves, valores, chaves[linhas, onde], valores[linhas, onde]


class Atencao(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.q = nn.Linear(dim, dim)
        self.k = nn.Linear(dim, dim)
        self.v = nn.Linear(dim, dim)

    def forward(self, consulta, memoria):
        # consulta: (lote, 1, dim)   memoria: (lote, tempo, dim)
        notas = self.q(consulta) @ self.k(memoria).transpose(1, 2)
        pesos = torch.softmax(notas / math.sqrt(memoria.size(-1)), dim=1)
        return pesos @ self.v(memoria)


class Buscador(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.emb_chave = nn.Embedding(N_CHAVES, dim)
        self.emb_valor = nn.Embedding(N_VALORES, dim)
        self.atencao = Atencao(dim)
        self.saida = nn.Linear(dim, N_VALORES)

    def forward(self, chaves, valores, pedido):
        memoria = self.emb_chave(chaves) + self.emb_valor(valores)
        consulta = self.emb_chave(pedido).unsqueeze(1)
        return self.saida(self.atencao(consulta, memoria).squeeze(1))


treino = gerar(3000)
teste = gerar(600)

rede = Buscador()
otim = torch.optim.Adam(rede.parameters(), lr=4e-3)
criterio = nn.CrossEntropyLoss()

for epoca in range(10):
    rede.train()
    ordem = torch.randperm(3000)
    soma = 0.0
    for idx in ordem.split(50):
        c, v, p, alvo = (t[idx] for t in treino)
        otim.zero_grad()
        perda = criterio(rede(c, v, p), alvo)
        perda.backward()
        otim.step()
        soma += perda.item() * len(idx)
    print(f"época {epoca + 1}: perda {soma / 3000:.4f}")

rede.eval()
with torch.no_grad():
    c, v, p, alvo = teste
    acertos = (rede(c, v, p).argmax(dim=1) == alvo).float().mean()
print(f"acurácia no teste: {acertos:.3f}")
