# expect: nothing

# word2vec com amostragem negativa (caderno da disciplina)
import random
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader

random.seed(6)
torch.manual_seed(6)

grupos = {
    "fruta": ["banana", "manga", "uva", "caju"],
    "bicho": ["gato", "cachorro", "vaca", "pato"],
    "lugar": ["praia", "cidade", "serra", "rio"],
}
contexto = {"fruta": ["como", "doce", "madura"], "bicho": ["corre", "dorme", "manso"],
            "lugar": ["visito", "longe", "bonito"]}


def frase():
    g = random.choice(list(grupos))
    return [random.choice(contexto[g]), random.choice(grupos[g]), random.choice(contexto[g])]


frases = [frase() for _ in range(900)]
vocab = sorted({p for f in frases for p in f})
ind = {p: i for i, p in enumerate(vocab)}
freq = torch.zeros(len(vocab))
pares = []
for f in frases:
    for i, p in enumerate(f):
        freq[ind[p]] += 1
        pares += [(ind[p], ind[q]) for j, q in enumerate(f) if j != i]
ruido = freq.pow(0.75) / freq.pow(0.75).sum()


def juntar(lote, k=4):
    centro, vizinho = map(torch.tensor, zip(*lote))
    negativos = torch.multinomial(ruido, len(lote) * k, replacement=True).view(-1, k)
    return centro, vizinho, negativos


class SkipGram(nn.Module):
    def __init__(self, n, dim=12):
        super().__init__()
        self.entrada = nn.Embedding(n, dim)
        self.saida = nn.Embedding(n, dim)

    def forward(self, centro, vizinho, negativos):
        c = self.entrada(centro)
        pos = (c * self.saida(vizinho)).sum(1)
        neg = torch.bmm(self.saida(negativos), c.unsqueeze(2)).squeeze(2)
        return -(F.logsigmoid(pos) + F.logsigmoid(-neg).sum(1)).mean()


dl = DataLoader(pares, batch_size=100, shuffle=True, collate_fn=juntar)
modelo = SkipGram(len(vocab))
otimizador = torch.optim.Adam(modelo.parameters(), lr=0.01)

for epoca in range(6):
    modelo.train()
    soma = 0.0
    for lote in dl:
        otimizador.zero_grad()
        perda = modelo(*lote)
        perda.backward()
        otimizador.step()
        soma += perda.item() * len(lote[0])
    print(f"época {epoca + 1}: perda {soma / len(pares):.3f}")

modelo.eval()
with torch.no_grad():
    v = F.normalize(modelo.entrada.weight, dim=1)
    for palavra in ["manga", "vaca", "rio"]:
        sim = v @ v[ind[palavra]]
        print(palavra, "->", [vocab[i] for i in sim.topk(4).indices.tolist()[1:]])
