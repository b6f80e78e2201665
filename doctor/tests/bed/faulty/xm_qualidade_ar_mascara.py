# expect: non_finite_loss @ 63
# allowed: non_finite_loss @ 85
# mend: 63 →     return (erro.sum(dim=1) / mascara.sum(dim=1).clamp(min=1)).mean()
"""Qualidade do ar: prever 6 h de PM2.5 em uma estação com falhas de leitura (perda com máscara)."""
import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(2)
rng = np.random.default_rng(2)

N_HORAS, JANELA, PASSOS = 2600, 24, 6


def estacao():
    h = np.arange(N_HORAS)
    trafego = 1 + 0.6 * np.sin(2 * np.pi * (h - 7) / 24) + 0.3 * np.sin(4 * np.pi * h / 24)
    pm = np.empty(N_HORAS)
    nivel = 20.0
    for i in h:
        nivel = 0.85 * nivel + 4 * trafego[i] + rng.normal(0, 1.2)
        pm[i] = nivel
    valido = rng.random(N_HORAS) > 0.05
    for inicio in rng.integers(0, N_HORAS - 20, 25):
        valido[inicio:inicio + rng.integers(3, 14)] = False
    return pm.astype(np.float32), valido.astype(np.float32)


pm, valido = estacao()
corte_v, corte_t = 1800, 2200
ok = valido[:corte_v] > 0
media, desvio = pm[:corte_v][ok].mean(), pm[:corte_v][ok].std()
serie = (pm - media) / desvio * valido          # leitura ausente = 0, indicada no segundo canal


def montar(a, b):
    xs, ys, ms = [], [], []
    for i in range(a, b - JANELA - PASSOS + 1):
        j = i + JANELA
        xs.append(np.stack([serie[i:j], valido[i:j]], axis=1))
        ys.append(serie[j:j + PASSOS])
        ms.append(valido[j:j + PASSOS])
    return [torch.from_numpy(np.stack(v)) for v in (xs, ys, ms)]


treino, valid, teste = montar(0, corte_v), montar(corte_v, corte_t), montar(corte_t, N_HORAS)


class Previsor(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.rnn = nn.GRU(2, dim, batch_first=True)
        self.norma = nn.LayerNorm(dim)
        self.saida = nn.Linear(dim, PASSOS)

    def forward(self, x):
        _, h = self.rnn(x)
        return self.saida(self.norma(h[-1]))


def perda_mascarada(pred, alvo, mascara):
    erro = (pred - alvo).pow(2) * mascara
    return (erro.sum(dim=1) / mascara.sum(dim=1)).mean()


@torch.no_grad()
def eam(modelo, dados):
    modelo.eval()
    x, y, m = dados
    return (((modelo(x) - y).abs() * m).sum() / m.sum()).item() * float(desvio)


modelo = Previsor()
otim = torch.optim.AdamW(modelo.parameters(), lr=3e-3)
plano = torch.optim.lr_scheduler.StepLR(otim, step_size=5, gamma=0.4)

x, y, m = treino
melhor, paciencia = float("inf"), 0
estado = {k: v.clone() for k, v in modelo.state_dict().items()}
for epoca in range(15):
    modelo.train()
    registro = []
    for ids in torch.randperm(len(x)).split(64):
        otim.zero_grad()
        perda = perda_mascarada(modelo(x[ids]), y[ids], m[ids])
        perda.backward()
        otim.step()
        registro.append(perda.item())
    plano.step()
    erro_v = eam(modelo, valid)
    print(f"época {epoca + 1:2d}: perda {np.mean(registro):.4f}  EAM validação {erro_v:.3f} µg/m³")
    if erro_v < melhor:
        melhor, paciencia = erro_v, 0
        estado = {k: v.clone() for k, v in modelo.state_dict().items()}
    else:
        paciencia += 1
        if paciencia == 4:
            break

modelo.load_state_dict(estado)
print(f"teste: EAM {eam(modelo, teste):.3f} µg/m³")
