# expect: duplicate_leakage @ 47
# allowed: duplicate_leakage @ 48
# Classificador de curvas de sensor com aumento de dados (cada curva gera variações)
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(29)


def gerar_curvas(n, pontos=32):
    """Duas classes de curva, frequências próximas e bastante ruído."""
    t = torch.linspace(0, 1, pontos)
    classe = torch.arange(n) % 2
    freq = torch.where(classe == 0, 2.0, 2.35).unsqueeze(1)
    fase = torch.rand(n, 1) * 6.283
    curva = torch.sin(6.283 * freq * t + fase) + 1.0 * torch.randn(n, pontos)
    return curva, classe


def aumentar(curvas, rotulos, vezes=5, forca=0.05):
    xs, ys = [curvas], [rotulos]
    for _ in range(vezes - 1):
        xs.append(curvas + forca * torch.randn_like(curvas))
        ys.append(rotulos)
    return torch.cat(xs), torch.cat(ys)


def dividir(x, y, fracao=0.75):
    ordem = torch.randperm(len(x))
    corte = int(fracao * len(x))
    return x[ordem[:corte]], y[ordem[:corte]], x[ordem[corte:]], y[ordem[corte:]]


class RedeCurvas(nn.Module):
    def __init__(self, entrada=32, largura=96):
        super().__init__()
        self.rede = nn.Sequential(nn.Linear(entrada, largura), nn.ReLU(),
                                  nn.Linear(largura, largura), nn.ReLU(),
                                  nn.Linear(largura, 2))

    def forward(self, x):
        return self.rede(x)


curvas, rotulos = gerar_curvas(400)
curvas, rotulos = aumentar(curvas, rotulos)
x_tr, y_tr, x_te, y_te = dividir(curvas, rotulos)
media, desvio = x_tr.mean(), x_tr.std()
x_tr, x_te = (x_tr - media) / desvio, (x_te - media) / desvio
print(f"treino {len(x_tr)}, teste {len(x_te)}")

carregador = DataLoader(TensorDataset(x_tr, y_tr), batch_size=50, shuffle=True)
modelo = RedeCurvas()
otim = torch.optim.Adam(modelo.parameters(), lr=2e-3)
criterio = nn.CrossEntropyLoss()

for epoca in range(1, 13):
    modelo.train()
    soma = 0.0
    for x, y in carregador:
        otim.zero_grad()
        perda = criterio(modelo(x), y)
        perda.backward()
        otim.step()
        soma += perda.item() * len(x)
    if epoca % 3 == 0:
        print(f"época {epoca}: perda {soma / len(x_tr):.4f}")

modelo.eval()
with torch.no_grad():
    certo = (modelo(x_te).argmax(dim=1) == y_te).float().mean().item()
print(f"acurácia no teste: {certo:.3f}")
