# expect: graph_kept_alive @ 60
# allowed: graph_kept_alive @ 28
# mend: 60 →         perda_geral.atualizar(perda.item(), xb.size(0))
# Classificação de vinhos com um medidor de médias, ao estilo do curso
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)


class Medidor:
    """Guarda a média corrente de uma grandeza."""

    def __init__(self, nome):
        self.nome = nome
        self.zerar()

    def zerar(self):
        self.soma = 0.0
        self.n = 0

    def atualizar(self, valor, n=1):
        self.soma += valor * n
        self.n += n

    @property
    def media(self):
        return self.soma / max(self.n, 1)


dados = load_wine()
X_tr, X_te, y_tr, y_te = train_test_split(
    dados.data, dados.target, test_size=0.3, stratify=dados.target, random_state=11)
esc = StandardScaler().fit(X_tr)
treino = TensorDataset(torch.tensor(esc.transform(X_tr), dtype=torch.float32), torch.tensor(y_tr))
teste = TensorDataset(torch.tensor(esc.transform(X_te), dtype=torch.float32), torch.tensor(y_te))
dl_treino = DataLoader(treino, batch_size=16, shuffle=True)
dl_teste = DataLoader(teste, batch_size=64)

rede = nn.Sequential(nn.Linear(13, 24), nn.Tanh(), nn.Linear(24, 3))
otimizador = torch.optim.Adam(rede.parameters(), lr=5e-3)
perda_geral = Medidor("perda")
acerto_geral = Medidor("acerto")

for epoca in range(1, 31):
    rede.train()
    perda_geral.zerar()
    acerto_geral.zerar()
    for xb, yb in dl_treino:
        saida = rede(xb)
        perda = F.cross_entropy(saida, yb)
        otimizador.zero_grad()
        perda.backward()
        otimizador.step()
        perda_geral.atualizar(perda, xb.size(0))
        acerto_geral.atualizar((saida.argmax(1) == yb).float().mean().item(), xb.size(0))
    if epoca % 10 == 0:
        print(f"época {epoca:2d}: perda {perda_geral.media:.4f}  acerto {acerto_geral.media:.3f}")

rede.eval()
certos = 0
with torch.no_grad():
    for xb, yb in dl_teste:
        certos += (rede(xb).argmax(1) == yb).sum().item()
print(f"acerto no teste: {certos / len(teste):.3f}")
