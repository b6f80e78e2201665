# expect: nothing
# k-fold: concentration d'un gaz à partir de la réponse d'un réseau de 10 capteurs
import numpy as np
import torch
from torch import nn
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

REGLAGES = dict(
    lr=3e-3,
    epoques=60,
    lot=32,
    largeur=48,
    weight_decay=1e-4,
    plis=4,
)


def reponses(n=600, capteurs=10, graine=0):
    rng = np.random.default_rng(graine)
    gaz = rng.uniform(0.5, 10, (n, 2))
    humidite = rng.uniform(20, 80, n)
    a = rng.uniform(0.3, 1.0, (2, capteurs))
    b = rng.uniform(0.3, 0.8, capteurs)
    X = (gaz @ a) ** b * (1 + 0.004 * (humidite[:, None] - 50)) + rng.normal(0, 0.05, (n, capteurs))
    X = np.column_stack([X, humidite])
    return X.astype(np.float32), gaz[:, :1].astype(np.float32)


def reseau(n_entrees, largeur):
    return nn.Sequential(
        nn.Linear(n_entrees, largeur), nn.Tanh(),
        nn.Linear(largeur, largeur), nn.Tanh(),
        nn.Linear(largeur, 1),
    )


def entraine(X, y, graine):
    torch.manual_seed(graine)
    modele = reseau(X.shape[1], REGLAGES["largeur"])
    optim = torch.optim.Adam(modele.parameters(), lr=REGLAGES["lr"], weight_decay=REGLAGES["weight_decay"])
    planif = torch.optim.lr_scheduler.CosineAnnealingLR(optim, T_max=REGLAGES["epoques"])
    modele.train()
    for epoque in range(REGLAGES["epoques"]):
        cumul = 0.0
        for idx in torch.randperm(len(X)).split(REGLAGES["lot"]):
            perte = nn.functional.mse_loss(modele(X[idx]), y[idx])
            optim.zero_grad()
            perte.backward()
            optim.step()
            cumul += perte.item() * len(idx)
        planif.step()
        if (epoque + 1) % 20 == 0:
            print(f"    époque {epoque + 1}: EQM {cumul / len(X):.4f}")
    return modele


def main():
    X, y = reponses()
    scores = []
    decoupe = KFold(n_splits=REGLAGES["plis"], shuffle=True, random_state=0)
    for pli, (app, val) in enumerate(decoupe.split(X)):
        print(f"pli {pli}")
        ech_x, ech_y = StandardScaler().fit(X[app]), StandardScaler().fit(y[app])
        X_app = torch.from_numpy(ech_x.transform(X[app]))
        y_app = torch.from_numpy(ech_y.transform(y[app]))
        modele = entraine(X_app, y_app, graine=pli)

        modele.eval()
        with torch.no_grad():
            sortie = modele(torch.from_numpy(ech_x.transform(X[val]))).numpy()
        prevu = ech_y.inverse_transform(sortie)
        eam = np.abs(prevu - y[val]).mean()
        scores.append(r2_score(y[val], prevu))
        print(f"    R2 {scores[-1]:.3f}   EAM {eam:.3f} ppm")
    print(f"R2 moyen {np.mean(scores):.3f} ± {np.std(scores):.3f}")


if __name__ == "__main__":
    main()
