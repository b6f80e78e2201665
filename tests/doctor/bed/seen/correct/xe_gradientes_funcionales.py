# expect: nothing
"""Regresion de supervivencia (Weibull) con torch.func: gradiente por fila recortado, paso a mano, sin optimizador.

Al final, sensibilidad de la prediccion respecto de cada columna.
"""
import torch
from torch import nn
from torch.func import functional_call, grad_and_value, vmap

torch.manual_seed(19)


def simular(n, gen):
    x = torch.randn(n, 6, generator=gen)
    escala = torch.exp(0.8 * x[:, 0] - 0.5 * x[:, 1] * x[:, 2] + 0.3)
    u = torch.rand(n, generator=gen).clamp(1e-6, 1 - 1e-6)
    tiempo = escala * (-torch.log(u)) ** (1 / 1.5)
    limite = 4.0 * torch.rand(n, generator=gen) + 0.5
    return x, torch.minimum(tiempo, limite).clamp_min(1e-4), (tiempo <= limite).float()


class Red(nn.Module):
    def __init__(self):
        super().__init__()
        self.cuerpo = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 1))
        self.log_forma = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return self.cuerpo(x).squeeze(-1)


red = Red()
pesos = {k: v.detach().clone() for k, v in red.named_parameters()}


def menos_logver(p, x, t, evento):
    log_escala = functional_call(red, p, (x,))
    log_forma = p["log_forma"]
    z = log_forma.exp() * (t.log() - log_escala)
    return z.exp() - evento * (log_forma - t.log() + z)


por_fila = vmap(grad_and_value(menos_logver), in_dims=(None, 0, 0, 0))


def paso(p, inercia, lote, tasa=0.03, tope=20.0, beta=0.9):
    g, v = por_fila(p, *lote)
    norma = torch.stack([d.reshape(len(d), -1).pow(2).sum(1) for d in g.values()]).sum(0).add(1e-12).sqrt()
    factor = (tope / norma).clamp(max=1.0)
    for k in p:
        d = torch.einsum("b,b...->...", factor, g[k]) / len(factor)
        inercia[k] = beta * inercia[k] + (1 - beta) * d
        p[k] = p[k] - tasa * inercia[k]
    return v.sum().item()


gen = torch.Generator().manual_seed(190)
datos, nuevos = simular(1500, gen), simular(600, gen)
inercia = {k: torch.zeros_like(v) for k, v in pesos.items()}
for epoca in range(1, 21):
    suma = 0.0
    for i in torch.randperm(1500).split(50):
        suma += paso(pesos, inercia, [d[i] for d in datos])
    if epoca % 5 == 0:
        print(f"epoca {epoca:2d}: -logver {suma / 1500:.4f}")

with torch.no_grad():
    valores = vmap(menos_logver, in_dims=(None, 0, 0, 0))(pesos, *nuevos)
    nulo = {k: torch.zeros_like(v) for k, v in pesos.items()}
    nulo["cuerpo.2.bias"] = (datos[1].sum() / datos[2].sum()).log().reshape(1)
    base = vmap(menos_logver, in_dims=(None, 0, 0, 0))(nulo, *nuevos)
print(f"datos nuevos: -logver {valores.mean():.4f} (exponencial sin columnas {base.mean():.4f})")

# gradiente de la salida respecto de la entrada; aqui no se ajusta nada
x = nuevos[0].clone().requires_grad_()
functional_call(red, pesos, (x,)).sum().backward()
print("sensibilidad media:", [round(s, 3) for s in x.grad.abs().mean(0).tolist()])
