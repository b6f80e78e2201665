# expect: nothing
import numpy as np
import torch
from torch import nn

# Classifica o estado de um motor a partir de janelas curtas de vibração.
# 0 = parado, 1 = carga normal, 2 = sobrecarga (amplitude crescente)

torch.manual_seed(11)
rng = np.random.default_rng(11)


def simular(n, comprimento=48):
    estado = rng.integers(0, 3, n)
    amp = np.array([0.4, 0.8, 1.4])[estado] * rng.uniform(0.85, 1.15, n)
    freq = rng.uniform(0.2, 0.5, n)
    fase = rng.uniform(0, 2 * np.pi, n)
    t = np.arange(comprimento)
    sinal = amp[:, None] * np.sin(freq[:, None] * t + fase[:, None])
    sinal = sinal + 0.15 * rng.standard_normal(sinal.shape)
    return (torch.tensor(sinal[:, None, :], dtype=torch.float32),
            torch.tensor(estado, dtype=torch.long))


class Rede(nn.Module):
    def __init__(self, canais=12):
        super().__init__()
        self.corpo = nn.Sequential(
            nn.Conv1d(1, canais, 5, padding=2),
            nn.BatchNorm1d(canais),
            nn.ReLU(),
            nn.Conv1d(canais, canais, 5, padding=2, stride=2),
            nn.BatchNorm1d(canais),
            nn.ReLU(),
        )
        self.saida = nn.Linear(canais, 3)

    def forward(self, x):
        return self.saida(self.corpo(x).mean(-1))


class Treinador:
    def __init__(self, rede, lote=16, fatia=16, taxa=5e-3):
        self.rede, self.lote, self.fatia = rede, lote, fatia
        self.otim = torch.optim.Adam(rede.parameters(), lr=taxa)
        self.custo = nn.CrossEntropyLoss()

    def fatias(self, x, y):
        # o lote é percorrido aos pedaços para caber na memória da placa
        for i in range(0, len(x), self.fatia):
            yield x[i:i + self.fatia], y[i:i + self.fatia]

    def epoca(self, x, y):
        self.rede.train()
        ordem = torch.randperm(len(x))
        soma = 0.0
        for ini in range(0, len(x), self.lote):
            idx = ordem[ini:ini + self.lote]
            self.otim.zero_grad()
            for xb, yb in self.fatias(x[idx], y[idx]):
                perda = self.custo(self.rede(xb), yb) * len(xb) / len(idx)
                perda.backward()
                soma += perda.item() * len(idx)
            self.otim.step()
        return soma / len(x)

    @torch.no_grad()
    def acerto(self, x, y):
        self.rede.eval()
        return (self.rede(x).argmax(1) == y).float().mean().item()


x_tr, y_tr = simular(480)
x_te, y_te = simular(300)
treinador = Treinador(Rede())
for ep in range(4):
    perda = treinador.epoca(x_tr, y_tr)
    print(f"época {ep + 1}: perda {perda:.3f}")
print(f"acerto treino {treinador.acerto(x_tr, y_tr):.3f}  teste {treinador.acerto(x_te, y_te):.3f}")
