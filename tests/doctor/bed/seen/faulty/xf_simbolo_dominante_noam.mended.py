# expect: nothing
# Transformer com token de classe e agenda de aquecimento: símbolo dominante
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(31)
DIM, AQUECIMENTO, ALFABETO, TAM = 32, 40, 9, 10


class Sequencias(Dataset):
    """Rótulo: qual dos símbolos 0, 1 ou 2 aparece mais vezes."""

    def __init__(self, n):
        self.x = torch.randint(3, ALFABETO, (n, TAM))
        self.y = torch.arange(n) % 3
        for i in range(n):
            lugares = torch.randperm(TAM)
            self.x[i, lugares[:4]] = self.y[i]
            self.x[i, lugares[4:6]] = (self.y[i] + 1) % 3
            self.x[i, lugares[6:7]] = (self.y[i] + 2) % 3

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Modelo(nn.Module):
    def __init__(self):
        super().__init__()
        self.simbolo = nn.Embedding(ALFABETO, DIM)
        self.lugar = nn.Parameter(torch.randn(TAM, DIM) * 0.02)
        self.cls = nn.Parameter(torch.randn(1, 1, DIM) * 0.02)
        camada = nn.TransformerEncoderLayer(DIM, 4, 2 * DIM, dropout=0.1, batch_first=True)
        self.pilha = nn.TransformerEncoder(camada, 1)
        self.fim = nn.Linear(DIM, 3)

    def forward(self, x):
        h = self.simbolo(x) + self.lugar
        h = torch.cat([self.cls.expand(len(x), -1, -1), h], dim=1)
        return self.fim(self.pilha(h)[:, 0])


def noam(passo):
    passo = max(passo, 1)
    return DIM ** -0.5 * min(passo ** -0.5, passo * AQUECIMENTO ** -1.5)


def treinar(modelo, dados, epocas):
    otimizador = torch.optim.Adam(modelo.parameters(), lr=0.3, betas=(0.9, 0.98), eps=1e-9)
    agenda = torch.optim.lr_scheduler.LambdaLR(otimizador, noam)
    for epoca in range(epocas):
        modelo.train()
        soma = 0.0
        for x, y in dados:
            otimizador.zero_grad()
            perda = nn.functional.cross_entropy(modelo(x), y)
            perda.backward()
            otimizador.step()
            agenda.step()
            soma += perda.item()
        print(f"época {epoca + 1}: perda {soma / len(dados):.4f}")


@torch.no_grad()
def acuracia(modelo, dados):
    modelo.eval()
    certos = sum((modelo(x).argmax(1) == y).sum().item() for x, y in dados)
    return certos / len(dados.dataset)


treino = DataLoader(Sequencias(1200), batch_size=40, shuffle=True)
teste = DataLoader(Sequencias(450), batch_size=150)
modelo = Modelo()
treinar(modelo, treino, epocas=5)
print(f"acurácia no teste: {acuracia(modelo, teste):.3f}")
