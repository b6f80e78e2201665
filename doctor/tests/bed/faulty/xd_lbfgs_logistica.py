# expect: no_step @ 47
# allowed: no_step @ 43
# allowed: no_step @ 46
# mend: 46 +     optimizador.step(clausura)
# Tarea 4: regresion logistica multiclase con LBFGS, validacion cruzada de 3 pliegues.
# Se compara la funcion de perdida regularizada antes y despues del ajuste.
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold

torch.manual_seed(0)
LAMBDA = 1e-3
MAX_ITER = 20


class Logistica:
    """Pesos y sesgo como tensores crudos."""

    def __init__(self, n_rasgos, n_clases):
        self.W = (0.01 * torch.randn(n_rasgos, n_clases)).requires_grad_()
        self.b = torch.zeros(n_clases, requires_grad=True)

    def parametros(self):
        return [self.W, self.b]

    def puntajes(self, X):
        return X @ self.W + self.b

    def perdida(self, X, y):
        return F.cross_entropy(self.puntajes(X), y) + LAMBDA * self.W.square().sum()


def ajustar(modelo, X, y):
    optimizador = torch.optim.LBFGS(
        modelo.parametros(), lr=1.0, max_iter=MAX_ITER, history_size=10, line_search_fn="strong_wolfe"
    )

    def clausura():
        optimizador.zero_grad()
        valor = modelo.perdida(X, y)
        valor.backward()
        return valor

    inicial = clausura().item()
    final = clausura().item()
    return inicial, final


@torch.no_grad()
def exactitud(modelo, X, y):
    return (modelo.puntajes(X).argmax(dim=1) == y).float().mean().item()


def main():
    X, y = load_digits(return_X_y=True)
    X = torch.tensor(X / 16.0, dtype=torch.float32)  # pixeles en 0..16
    y = torch.tensor(y, dtype=torch.long)
    pliegues = StratifiedKFold(n_splits=3, shuffle=True, random_state=1)
    resultados = []
    for k, (ent, val) in enumerate(pliegues.split(X.numpy(), y.numpy())):
        modelo = Logistica(X.shape[1], 10)
        inicial, final = ajustar(modelo, X[ent], y[ent])
        resultados.append(exactitud(modelo, X[val], y[val]))
        print(f"pliegue {k}: perdida {inicial:.4f} -> {final:.4f}  exactitud {resultados[-1]:.4f}")
    print(f"promedio {np.mean(resultados):.4f}  desviacion {np.std(resultados):.4f}")


if __name__ == "__main__":
    main()
