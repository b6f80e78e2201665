# expect: sigmoid_before_bce_with_logits @ 26
# allowed: sigmoid_before_bce_with_logits @ 33
# allowed: sigmoid_before_bce_with_logits @ 40
# mend: 26 →         return self.camadas(x)
# mend: 49 →         corte = 0.0
"""Classificador multi-rótulo de gêneros a partir de atributos numéricos."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(21)
atributos = torch.randn(1000, 20)
pesos = torch.randn(20, 5)
rotulos = ((atributos @ pesos + torch.randn(1000, 5)) > 0).float()
treino, teste = random_split(TensorDataset(atributos, rotulos), [800, 200])
dl_treino = DataLoader(treino, batch_size=40, shuffle=True)
dl_teste = DataLoader(teste, batch_size=200)


class Rede(nn.Module):
    def __init__(self, entradas, saidas):
        super().__init__()
        self.camadas = nn.Sequential(nn.Linear(entradas, 48), nn.ReLU(), nn.Dropout(0.2), nn.Linear(48, saidas))

    def forward(self, x):
        return torch.sigmoid(self.camadas(x))


class Treinador:
    def __init__(self, rede, taxa):
        self.rede = rede
        self.otimizador = torch.optim.Adam(rede.parameters(), lr=taxa)
        self.perda = nn.BCEWithLogitsLoss()

    def epoca(self, dl):
        self.rede.train()
        total = 0.0
        for x, y in dl:
            self.otimizador.zero_grad()
            valor = self.perda(self.rede(x), y)
            valor.backward()
            self.otimizador.step()
            total += valor.item()
        return total / len(dl)

    @torch.no_grad()
    def avaliar(self, dl):
        self.rede.eval()
        corte = 0.5
        return sum(((self.rede(x) > corte).float() == y).float().mean().item() for x, y in dl) / len(dl)


t = Treinador(Rede(20, 5), 3e-3)
for e in range(12):
    print(e, "perda", round(t.epoca(dl_treino), 4), "acerto", round(t.avaliar(dl_teste), 4))
