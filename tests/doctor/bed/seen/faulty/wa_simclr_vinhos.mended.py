# expect: nothing
"""SimCLR em dados tabulares (vinhos): duas vistas com ruído e campos apagados."""
import torch
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset


class Medidor:
    """Média corrente de uma grandeza."""

    def __init__(self):
        self.zerar()

    def zerar(self):
        self.soma, self.n = 0.0, 0

    def atualizar(self, valor, n=1):
        self.soma += valor * n
        self.n += n

    @property
    def media(self):
        return self.soma / max(self.n, 1)


class DuasVistas(Dataset):
    def __init__(self, linhas, ruido=0.3, apagar=0.2):
        self.linhas = torch.as_tensor(linhas, dtype=torch.float32)
        self.ruido, self.apagar = ruido, apagar

    def __len__(self):
        return len(self.linhas)

    def vista(self, x):
        manter = (torch.rand_like(x) > self.apagar).float()
        return (x + self.ruido * torch.randn_like(x)) * manter

    def __getitem__(self, i):
        return self.vista(self.linhas[i]), self.vista(self.linhas[i])


class Rede(nn.Module):
    def __init__(self, entradas, oculto=48, projecao=16):
        super().__init__()
        self.base = nn.Sequential(nn.Linear(entradas, oculto), nn.ReLU(), nn.Linear(oculto, oculto), nn.ReLU())
        self.cabeca = nn.Sequential(nn.Linear(oculto, oculto), nn.ReLU(), nn.Linear(oculto, projecao))

    def forward(self, x):
        return F.normalize(self.cabeca(self.base(x)), dim=1)


def nt_xent(z1, z2, temperatura=0.3):
    z = torch.cat([z1, z2])
    semelhanca = z @ z.t() / temperatura
    semelhanca.fill_diagonal_(float("-inf"))      # nunca comparar consigo mesmo
    n = len(z1)
    alvo = torch.cat([torch.arange(n, 2 * n), torch.arange(n)])
    return F.cross_entropy(semelhanca, alvo)


class Treinador:
    def __init__(self, rede, carregador, taxa=2e-3):
        self.rede, self.carregador = rede, carregador
        self.otimizador = torch.optim.AdamW(rede.parameters(), lr=taxa, weight_decay=1e-4)
        self.perda = Medidor()

    def passo(self, v1, v2):
        perda = nt_xent(self.rede(v1), self.rede(v2))
        self.otimizador.zero_grad()
        perda.backward()
        self.otimizador.step()
        self.perda.atualizar(perda.item(), len(v1))

    def treinar(self, epocas):
        for epoca in range(epocas):
            self.rede.train()
            self.perda.zerar()
            for v1, v2 in self.carregador:
                self.passo(v1, v2)
            if epoca % 10 == 9:
                print(f"época {epoca + 1}: NT-Xent {self.perda.media:.4f}")


@torch.no_grad()
def representar(rede, linhas):
    rede.eval()
    return rede.base(torch.as_tensor(linhas, dtype=torch.float32)).numpy()


if __name__ == "__main__":
    torch.manual_seed(21)
    X, y = load_wine(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, stratify=y, random_state=21)
    escala = StandardScaler().fit(X_tr)
    X_tr, X_te = escala.transform(X_tr), escala.transform(X_te)

    carregador = DataLoader(DuasVistas(X_tr), batch_size=31, shuffle=True, drop_last=True)
    rede = Rede(X.shape[1])
    Treinador(rede, carregador).treinar(epocas=30)

    sonda = LogisticRegression(max_iter=2000).fit(representar(rede, X_tr), y_tr)
    print(f"sonda linear no teste: {sonda.score(representar(rede, X_te), y_te):.3f}")
