# expect: nothing
# Autoencoder adversarial (AAE) numa tabela sintética de sensores.
# Três otimizadores: reconstrução, discriminador do latente, e o codificador como "gerador".
import torch
from torch import nn
from sklearn.datasets import make_blobs
from sklearn.preprocessing import StandardScaler

torch.manual_seed(7)
DIM_X, DIM_Z, LOTE, EPOCAS = 12, 2, 64, 20

X, _ = make_blobs(n_samples=1280, n_features=DIM_X, centers=5, cluster_std=2.0, random_state=7)
treino_np, valid_np = X[:1024], X[1024:]  # make_blobs já devolve as linhas embaralhadas
escala = StandardScaler().fit(treino_np)
treino = torch.tensor(escala.transform(treino_np), dtype=torch.float32)
valid = torch.tensor(escala.transform(valid_np), dtype=torch.float32)

codificador = nn.Sequential(nn.Linear(DIM_X, 32), nn.LeakyReLU(0.1), nn.Linear(32, DIM_Z))
decodificador = nn.Sequential(nn.Linear(DIM_Z, 32), nn.LeakyReLU(0.1), nn.Linear(32, DIM_X))
discriminador = nn.Sequential(nn.Linear(DIM_Z, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))

otim_rec = torch.optim.Adam([*codificador.parameters(), *decodificador.parameters()], lr=2e-3)
otim_disc = torch.optim.Adam(discriminador.parameters(), lr=1e-3, betas=(0.5, 0.999))
otim_ger = torch.optim.Adam(codificador.parameters(), lr=1e-3, betas=(0.5, 0.999))

mse = nn.MSELoss()
bce = nn.BCEWithLogitsLoss()


def lotes(dados):
    ordem = torch.randperm(len(dados))
    for i in range(0, len(dados), LOTE):
        yield dados[ordem[i:i + LOTE]]


def fase_reconstrucao(x):
    otim_rec.zero_grad()
    perda = mse(decodificador(codificador(x)), x)
    perda.backward()
    otim_rec.step()
    return perda.item()


def fase_discriminador(x):
    with torch.no_grad():
        z_falso = codificador(x)
    z_real = torch.randn_like(z_falso)
    otim_disc.zero_grad()
    l_real, l_falso = discriminador(z_real), discriminador(z_falso)
    perda = 0.5 * (bce(l_real, torch.ones_like(l_real)) + bce(l_falso, torch.zeros_like(l_falso)))
    perda.backward()
    otim_disc.step()
    return perda.item()


def fase_gerador(x):
    """O codificador tenta enganar o discriminador."""
    otim_ger.zero_grad()
    logits = discriminador(codificador(x))
    perda = bce(logits, torch.ones_like(logits))
    perda.backward()
    otim_ger.step()
    return perda.item()


for epoca in range(1, EPOCAS + 1):
    soma = torch.zeros(3)
    n = 0
    for x in lotes(treino):
        soma += torch.tensor([fase_reconstrucao(x), fase_discriminador(x), fase_gerador(x)])
        n += 1
    if epoca % 4 == 0:
        r, d, g = (soma / n).tolist()
        print(f"época {epoca:2d} | rec {r:.4f} | disc {d:.4f} | ger {g:.4f}")

for rede in (codificador, decodificador):
    rede.eval()
with torch.no_grad():
    z = codificador(valid)
    print(f"validação: rec {mse(decodificador(z), valid).item():.4f}")
    print("latente: média", [round(v, 2) for v in z.mean(0).tolist()],
          "desvio", [round(v, 2) for v in z.std(0).tolist()])
