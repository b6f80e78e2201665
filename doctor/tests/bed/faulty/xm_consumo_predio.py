# expect: symmetric_init @ 32
# allowed: symmetric_init @ 54
# mend: 32 →     w = torch.randn(entrada, saida) / math.sqrt(entrada)
# Previsão do consumo de energia de um prédio (kWh) a partir do clima e do uso.
# Rede escrita à mão, sem nn.Module.
import math
import torch
import torch.nn.functional as F

torch.manual_seed(11)

N = 1600
ESCONDIDOS = 32
PASSO = 0.01
EPOCAS = 30
LOTE = 100


def gerar_dados(n):
    temp = torch.empty(n).uniform_(-2, 36)
    hora = torch.empty(n).uniform_(0, 24)
    pessoas = torch.randint(0, 120, (n,)).float()
    vento = torch.empty(n).uniform_(0, 15)
    frio = torch.relu(17 - temp) * 3.1
    calor = torch.relu(temp - 24) * 4.4
    dia = 14 * torch.sin((hora - 8) / 24 * 2 * math.pi)
    consumo = 55 + frio + calor + dia + 0.35 * pessoas + 0.4 * vento + 2 * torch.randn(n)
    return torch.stack([temp, hora, pessoas, vento], dim=1), consumo.unsqueeze(1)


def nova_camada(entrada, saida):
    w = torch.ones(entrada, saida) / entrada
    b = torch.zeros(saida)
    return [w.requires_grad_(), b.requires_grad_()]


def rede(parametros, x):
    w1, b1, w2, b2, w3, b3 = parametros
    h = torch.tanh(x @ w1 + b1)
    h = torch.tanh(h @ w2 + b2)
    return h @ w3 + b3


X, y = gerar_dados(N)
ordem = torch.randperm(N)
treino, teste = ordem[:1200], ordem[1200:]

mx, sx = X[treino].mean(0), X[treino].std(0)
my, sy = y[treino].mean(), y[treino].std()
Xtr, Xte = (X[treino] - mx) / sx, (X[teste] - mx) / sx
ytr = (y[treino] - my) / sy

parametros = (
    nova_camada(4, ESCONDIDOS)
    + nova_camada(ESCONDIDOS, ESCONDIDOS)
    + nova_camada(ESCONDIDOS, 1)
)
otimizador = torch.optim.Adam(parametros, lr=PASSO)

for epoca in range(1, EPOCAS + 1):
    soma = 0.0
    embaralhado = torch.randperm(len(Xtr))
    for i in range(0, len(Xtr), LOTE):
        idx = embaralhado[i:i + LOTE]
        perda = F.mse_loss(rede(parametros, Xtr[idx]), ytr[idx])
        otimizador.zero_grad()
        perda.backward()
        otimizador.step()
        soma += perda.item() * len(idx)
    if epoca % 6 == 0:
        print(f"época {epoca:3d}  perda de treino {soma / len(Xtr):.4f}")

with torch.no_grad():
    previsto = rede(parametros, Xte) * sy + my
    erro = (previsto - y[teste]).abs().mean().item()
    r2 = 1 - ((previsto - y[teste]) ** 2).sum() / ((y[teste] - y[teste].mean()) ** 2).sum()
print(f"teste: erro médio absoluto {erro:.2f} kWh, R2 {r2.item():.3f}")
