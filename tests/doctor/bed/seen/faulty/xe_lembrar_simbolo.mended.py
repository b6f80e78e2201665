# expect: nothing
"""Lê uma sequência de letras e diz qual letra veio logo depois do marcador."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(11)
LETRAS = 6
MARCA = LETRAS
TAM = 14


class Sequencias(Dataset):
    def __init__(self, n, semente):
        g = torch.Generator().manual_seed(semente)
        self.x = torch.randint(0, LETRAS, (n, TAM), generator=g)
        pos = torch.randint(0, TAM - 4, (n,), generator=g)
        linhas = torch.arange(n)
        self.x[linhas, pos] = MARCA
        self.y = self.x[linhas, pos + 1].clone()

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Leitor(nn.Module):
    def __init__(self, emb=12, oculto=32):
        super().__init__()
        self.emb = nn.Embedding(LETRAS + 1, emb)
        self.lstm = nn.LSTM(emb, oculto, batch_first=True)
        self.norma = nn.LayerNorm(oculto)
        self.saida = nn.Linear(oculto, LETRAS)

    def forward(self, x):
        _, (h, _) = self.lstm(self.emb(x))
        return self.saida(self.norma(h[-1]))


def montar_otimizador(modelo, lr=5e-3, decaimento=1e-4):
    com, sem = [], []
    for nome, p in modelo.named_parameters():
        if "weight" in nome:
            com.append(p)
        elif "bias" in nome:
            sem.append(p)
    grupos = [
        {"params": com, "weight_decay": decaimento},
        {"params": sem, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(grupos, lr=lr)


@torch.no_grad()
def acerto(modelo, dados):
    modelo.eval()
    certos = total = 0
    for x, y in dados:
        certos += (modelo(x).argmax(1) == y).sum().item()
        total += len(y)
    return certos / total


treino = DataLoader(Sequencias(3000, 1), batch_size=64, shuffle=True)
teste = DataLoader(Sequencias(800, 2), batch_size=200)
modelo = Leitor()
otim = montar_otimizador(modelo)
perda_fn = nn.CrossEntropyLoss()

for epoca in range(1, 11):
    modelo.train()
    soma = n = 0
    for x, y in treino:
        otim.zero_grad()
        perda = perda_fn(modelo(x), y)
        perda.backward()
        nn.utils.clip_grad_norm_(modelo.parameters(), 1.0)
        otim.step()
        soma += perda.item() * len(y)
        n += len(y)
    print(f"época {epoca:2d}  perda {soma / n:.3f}")
print(f"acerto no teste: {acerto(modelo, teste):.3f}")
