# expect: nothing
# Previsao do consumo de energia de casas (dados sinteticos), tudo com funcoes pequenas e torch puro.
import torch
import torch.nn.functional as F

SEMENTE = 42
LOTE = 32


def gera_casas(n, g):
    area = torch.rand(n, generator=g) * 150 + 40
    pessoas = torch.randint(1, 6, (n,), generator=g).float()
    temperatura = torch.randn(n, generator=g) * 6 + 18
    consumo = 0.8 * area + 35 * pessoas + 4.0 * (temperatura - 20).abs() + 10 * torch.randn(n, generator=g)
    return torch.stack([area, pessoas, temperatura], 1), consumo.unsqueeze(1)


def padronizador(ref):
    media, desvio = ref.mean(0), ref.std(0)
    return (lambda v: (v - media) / desvio), (lambda v: v * desvio + media)


def lotes(x, y, g):
    ordem = torch.randperm(len(x), generator=g)
    for idx in ordem.split(LOTE):
        yield x[idx], y[idx]


def rede(p, x):
    h = F.silu(F.linear(x, p["w1"], p["b1"]))
    h = F.silu(F.linear(h, p["w2"], p["b2"]))
    return F.linear(h, p["w3"], p["b3"])


def inicia(tamanhos, g):
    p = {}
    for i, (a, b) in enumerate(zip(tamanhos[:-1], tamanhos[1:]), start=1):
        p[f"w{i}"] = (torch.randn(b, a, generator=g) * (2.0 / a) ** 0.5).requires_grad_()
        p[f"b{i}"] = torch.zeros(b, requires_grad=True)
    return p


def uma_epoca(p, otimizador, x, y, g):
    soma = 0.0
    for xb, yb in lotes(x, y, g):
        erro = F.mse_loss(rede(p, xb), yb)
        otimizador.zero_grad()
        erro.backward()
        otimizador.step()
        soma += erro.item() * len(xb)
    return soma / len(x)


def principal(epocas=12):
    g = torch.Generator().manual_seed(SEMENTE)
    x, y = gera_casas(800, g)
    x_teste, y_teste = gera_casas(200, g)
    px, _ = padronizador(x)
    py, desfaz = padronizador(y)
    p = inicia([3, 32, 16, 1], g)
    otimizador = torch.optim.Adam(p.values(), lr=3e-3)
    for epoca in range(epocas):
        mse = uma_epoca(p, otimizador, px(x), py(y), g)
        print(f"epoca {epoca:2d}: mse padronizado {mse:.4f}")
    with torch.no_grad():
        previsto = desfaz(rede(p, px(x_teste)))
    print("erro absoluto medio no teste (kWh): %.2f" % (previsto - y_teste).abs().mean().item())


if __name__ == "__main__":
    principal()
