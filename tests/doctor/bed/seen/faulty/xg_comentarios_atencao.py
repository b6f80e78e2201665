# expect: non_finite_loss @ 69
# allowed: non_finite_loss @ 70
# allowed: non_finite_loss @ 86
# Classificador de comentários com atenção sobre as palavras.
# Alguns clientes deixam o comentário em branco; a nota de estrelas entra à parte.
import random

import torch
from torch import nn
from torch.utils.data import DataLoader

random.seed(21)
torch.manual_seed(21)

ASSUNTOS = {
    0: "entrega atraso correio caixa frete prazo".split(),
    1: "tela bateria defeito quebrado botao cabo".split(),
    2: "cobranca cartao boleto valor reembolso juros".split(),
}
COMUNS = "o a de que muito produto loja comprei veio ainda hoje nao".split()


def gera(n):
    base = []
    for i in range(n):
        y = i % 3
        if random.random() < 0.02:
            palavras = []
        else:
            palavras = random.choices(COMUNS, k=random.randint(3, 9))
            palavras += random.choices(ASSUNTOS[y], k=random.randint(1, 2))
            random.shuffle(palavras)
        canal = y if random.random() < 0.5 else random.randrange(3)
        base.append((" ".join(palavras), canal, y))
    random.shuffle(base)
    return base


treino, teste = gera(900), gera(300)
vocab = {"<pad>": 0, "<unk>": 1}
for texto, _, _ in treino:
    for p in texto.split():
        vocab.setdefault(p, len(vocab))


def junta(lote):
    ids = [[vocab.get(p, 1) for p in t.split()] for t, _, _ in lote]
    largura = max(max(len(s) for s in ids), 1)
    x = torch.zeros(len(ids), largura, dtype=torch.long)
    for i, s in enumerate(ids):
        if s:
            x[i, :len(s)] = torch.tensor(s)
    canal = torch.tensor([c for _, c, _ in lote])
    y = torch.tensor([r for _, _, r in lote])
    return x, canal, y


class Atencao(nn.Module):
    def __init__(self, n_palavras, d=24):
        super().__init__()
        self.emb = nn.Embedding(n_palavras, d, padding_idx=0)
        self.canal = nn.Embedding(3, 4)
        self.peso = nn.Sequential(nn.Linear(d, d), nn.Tanh(), nn.Linear(d, 1))
        self.saida = nn.Linear(d + 4, 3)

    def forward(self, x, canal):
        e = self.emb(x)
        nota = self.peso(e).squeeze(-1)
        nota = nota.masked_fill(x == 0, float("-inf"))
        alfa = torch.softmax(nota, dim=1)
        contexto = (alfa.unsqueeze(-1) * e).sum(dim=1)
        return self.saida(torch.cat([contexto, self.canal(canal)], dim=1))


dl_treino = DataLoader(treino, batch_size=30, shuffle=True, collate_fn=junta)
dl_teste = DataLoader(teste, batch_size=100, collate_fn=junta)
modelo = Atencao(len(vocab))
criterio = nn.CrossEntropyLoss()
otim = torch.optim.Adam(modelo.parameters(), lr=5e-3)

for epoca in range(8):
    modelo.train()
    soma = 0.0
    for x, canal, y in dl_treino:
        otim.zero_grad()
        custo = criterio(modelo(x, canal), y)
        custo.backward()
        otim.step()
        soma += custo.item() * len(y)
    print(f"época {epoca + 1}: custo {soma / len(treino):.4f}")

modelo.eval()
acertos = 0
with torch.no_grad():
    for x, canal, y in dl_teste:
        acertos += (modelo(x, canal).argmax(dim=1) == y).sum().item()
print(f"acurácia no teste: {acertos / len(teste):.3f}")
