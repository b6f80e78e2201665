# expect: symmetric_init @ 28
# allowed: symmetric_init @ 22
# allowed: symmetric_init @ 23
# Recomendador por factorizacion de matrices, con tensores sueltos (sin nn.Module).
import torch
import torch.nn.functional as F

torch.manual_seed(21)
N_USUARIOS, N_PELIS, RANGO, K = 120, 80, 4, 6


def notas_simuladas():
    """Notas de 1 a 5: gustos de rango bajo + sesgos + ruido; cada par aparece una sola vez."""
    gustos = torch.randn(N_USUARIOS, RANGO) @ torch.randn(RANGO, N_PELIS) / RANGO ** 0.5
    sesgo = 0.3 * torch.randn(N_USUARIOS, 1) + 0.3 * torch.randn(1, N_PELIS)
    matriz = (3 + 0.8 * gustos + sesgo + 0.2 * torch.randn(N_USUARIOS, N_PELIS)).clamp(1, 5)
    celdas = torch.randperm(N_USUARIOS * N_PELIS)[:5000]
    u, p = celdas // N_PELIS, celdas % N_PELIS
    return u, p, matriz[u, p]


def parametro(*forma, escala=0.0):
    return (escala * torch.randn(*forma)).requires_grad_()


def crear_modelo(media):
    b_u, b_p = parametro(N_USUARIOS), parametro(N_PELIS)
    U, P = (parametro(n, K) for n in (N_USUARIOS, N_PELIS))

    def predecir(u, p):
        return media + b_u[u] + b_p[p] + (U[u] * P[p]).sum(dim=1)

    def castigo(u, p):
        # regularizacion solo de las filas del lote
        return (U[u] ** 2).sum(1).mean() + (P[p] ** 2).sum(1).mean()

    return predecir, castigo, [b_u, b_p, U, P]


def raiz_error(predecir, u, p, nota):
    with torch.no_grad():
        return F.mse_loss(predecir(u, p), nota).sqrt().item()


u, p, nota = notas_simuladas()
# las celdas ya vienen en orden aleatorio: el corte tambien lo es
corte = 4000
entreno, prueba = slice(0, corte), slice(corte, None)

media = nota[entreno].mean()
predecir, castigo, params = crear_modelo(media)
opt = torch.optim.Adam(params, lr=0.02)

u_e, p_e, n_e = u[entreno], p[entreno], nota[entreno]
for vuelta in range(1, 21):
    acumulado = 0.0
    for lote in torch.randperm(corte).split(200):
        opt.zero_grad()
        ecm = F.mse_loss(predecir(u_e[lote], p_e[lote]), n_e[lote])
        perdida = ecm + 0.01 * castigo(u_e[lote], p_e[lote])
        perdida.backward()
        opt.step()
        acumulado += ecm.item() * len(lote)
    if vuelta % 4 == 0:
        print(f"vuelta {vuelta:2d}: ECM de entrenamiento {acumulado / corte:.4f}")

base = (nota[prueba] - media).pow(2).mean().sqrt().item()
print(f"RMSE de prueba: {raiz_error(predecir, u[prueba], p[prueba], nota[prueba]):.3f} (media sola: {base:.3f})")
