# expect: nothing
"""Rede siamesa com perda contrastiva nos digitos 8x8; avaliacao por vizinho mais proximo."""
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(11)


class PerdaContrastiva(nn.Module):
    def __init__(self, margem=1.5):
        super().__init__()
        self.margem = margem

    def forward(self, za, zb, igual):
        dist = ((za - zb).pow(2).sum(dim=1) + 1e-8).sqrt()
        perto = igual * dist.pow(2)
        longe = (1 - igual) * (self.margem - dist).clamp(min=0).pow(2)
        return (perto + longe).mean()


def sorteia_pares(y, n, gerador):
    """metade dos pares da mesma classe, metade de classes diferentes"""
    a = torch.randint(len(y), (n,), generator=gerador)
    b = torch.empty_like(a)
    quer_igual = torch.arange(n) % 2 == 0
    for k in range(n):
        mesma = y == y[a[k]]
        cand = torch.where(mesma if quer_igual[k] else ~mesma)[0]
        b[k] = cand[torch.randint(len(cand), (1,), generator=gerador)]
    return a, b, quer_igual.float()


def acerto_1nn(rede, x_ref, y_ref, x, y):
    rede.eval()
    with torch.no_grad():
        d = torch.cdist(rede(x), rede(x_ref))
        palpite = y_ref[d.argmin(dim=1)]
    rede.train()
    return (palpite == y).float().mean().item()


def main():
    dados = load_digits()
    xtr, xte, ytr, yte = train_test_split(
        dados.data, dados.target, test_size=0.3, random_state=3, stratify=dados.target)
    media, desvio = xtr.mean(), xtr.std()
    xtr = torch.tensor((xtr - media) / desvio, dtype=torch.float32)
    xte = torch.tensor((xte - media) / desvio, dtype=torch.float32)
    ytr, yte = torch.tensor(ytr), torch.tensor(yte)

    rede = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 8))
    perda = PerdaContrastiva()
    opt = torch.optim.Adam(rede.parameters(), lr=2e-3)
    g = torch.Generator().manual_seed(5)

    for epoca in range(9):
        soma = 0.0
        for _ in range(15):
            a, b, igual = sorteia_pares(ytr, 96, g)
            valor = perda(rede(xtr[a]), rede(xtr[b]), igual)
            opt.zero_grad()
            valor.backward()
            opt.step()
            soma += valor.item()
        if epoca % 3 == 2:
            print(f"epoca {epoca + 1:2d}  perda {soma / 15:.4f}")
    print(f"acerto 1-NN no teste: {acerto_1nn(rede, xtr, ytr, xte, yte):.3f}")


if __name__ == "__main__":
    main()
