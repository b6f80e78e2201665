# expect: train_mode_never_restored @ 41
# allowed: train_mode_never_restored @ 65
# allowed: train_mode_never_restored @ 66
# Aprendizado métrico: embeddings de dígitos com perda triplet e negativos difíceis
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(3)

imagens, rotulos = load_digits(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(imagens, rotulos, test_size=0.4,
                                  stratify=rotulos, random_state=3)


def tensor(a):
    return torch.tensor(a / 16.0, dtype=torch.float32).view(-1, 1, 8, 8)


Xa, Xb = tensor(Xa), tensor(Xb)
ya, yb = torch.tensor(ya), torch.tensor(yb)


class Rede(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.corpo = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Dropout(0.2), nn.Linear(32 * 16, dim))

    def forward(self, x):
        return F.normalize(self.corpo(x), dim=1)


@torch.no_grad()
def embutir(rede, x):
    """Embeddings de uma coleção inteira."""
    rede.eval()
    return torch.cat([rede(b) for b in x.split(256)])


def vizinho_mais_proximo(rede, xg, yg, xq, yq):
    d = torch.cdist(embutir(rede, xq), embutir(rede, xg))
    return (yg[d.argmin(1)] == yq).float().mean().item()


def minerar(z, y):
    """Para cada âncora, um positivo ao acaso e um negativo próximo."""
    d = torch.cdist(z, z)
    mesma = y[:, None] == y[None, :]
    neg = d.masked_fill(mesma, float("inf")).topk(60, dim=1, largest=False).indices
    neg = neg.gather(1, torch.randint(0, 60, (len(y), 1))).squeeze(1)
    pos = torch.multinomial(mesma.float().fill_diagonal_(0), 1).squeeze(1)
    return pos, neg


rede = Rede()
opt = torch.optim.Adam(rede.parameters(), lr=2e-3)
margem = 0.3

for epoca in range(8):
    rede.train()
    pos, neg = minerar(embutir(rede, Xa), ya)
    soma = 0.0
    for idx in torch.randperm(len(Xa)).split(64):
        a, p, n = rede(Xa[idx]), rede(Xa[pos[idx]]), rede(Xa[neg[idx]])
        perda = F.triplet_margin_loss(a, p, n, margin=margem)
        opt.zero_grad()
        perda.backward()
        opt.step()
        soma += perda.item() * len(idx)
    print(f"epoca {epoca:2d} perda {soma / len(Xa):.4f}")

print(f"1-NN teste: {vizinho_mais_proximo(rede, Xa, ya, Xb, yb):.4f}")
