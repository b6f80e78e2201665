# expect: exploding_sum_loss @ 64
# allowed: exploding_sum_loss @ 15
# allowed: exploding_sum_loss @ 57
# mend: 64 →         perte = F.smooth_l1_loss(sortie, y[idx])
# Coût annuel des sinistres auto (en euros) : régression tabulaire, perte robuste
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split

GRAINE = 33
LR = 0.05
MOMENTUM = 0.9
BATCH = 128
EPOCHS = 31

torch.manual_seed(GRAINE)
gen = np.random.default_rng(GRAINE)

n = 3000
contrats = pd.DataFrame({
    "age": gen.integers(18, 85, n),
    "bonus": gen.uniform(0.5, 1.6, n),
    "puissance": gen.integers(3, 14, n),
    "km_an": gen.gamma(4, 3500, n),
    "zone": gen.integers(0, 4, n),
})
jeune = np.exp(-(contrats.age - 18) / 9)
contrats["cout"] = (
    120 + 380 * jeune * contrats.bonus + 22 * contrats.puissance
    + 0.011 * contrats.km_an * contrats.bonus + np.array([0, 25, 90, 60])[contrats.zone]
    + gen.standard_t(3, n) * 25
)

tables = pd.get_dummies(contrats, columns=["zone"], dtype=float)
appr, test = train_test_split(tables, test_size=0.2, random_state=GRAINE)
numeriques = ["age", "bonus", "puissance", "km_an"]
moy, ect = appr[numeriques].mean(), appr[numeriques].std()
y_moy, y_ect = appr["cout"].mean(), appr["cout"].std()


def preparer(t):
    t = t.copy()
    t[numeriques] = (t[numeriques] - moy) / ect
    x = torch.tensor(t.drop(columns="cout").to_numpy(), dtype=torch.float32)
    y = torch.tensor(((t["cout"] - y_moy) / y_ect).to_numpy(), dtype=torch.float32)
    return x, y


x_appr, y_appr = preparer(appr)
x_test, _ = preparer(test)

modele = nn.Sequential(nn.Linear(x_appr.shape[1], 64), nn.Tanh(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 1))
opt = torch.optim.SGD(modele.parameters(), lr=LR, momentum=MOMENTUM)


def passe(x, y):
    total = 0.0
    for idx in torch.randperm(len(x)).split(BATCH):
        sortie = modele(x[idx]).squeeze(-1)
        perte = F.smooth_l1_loss(sortie, y[idx], reduction="sum")
        opt.zero_grad()
        perte.backward()
        opt.step()
        total += F.l1_loss(sortie.detach(), y[idx]).item() * len(idx)
    return total / len(x)


for epoch in range(EPOCHS):
    ecart = passe(x_appr, y_appr)
    if epoch % 10 == 0 or epoch == EPOCHS - 1:
        print(f"[{epoch:02d}] écart moyen (normalisé) {ecart:.4f}")

modele.eval()
with torch.no_grad():
    estimation = modele(x_test).squeeze(-1).numpy() * y_ect + y_moy
print("MAE test : %.1f €" % mean_absolute_error(test["cout"], estimation))
print("MAE en prédisant la médiane : %.1f €" % (test["cout"] - appr["cout"].median()).abs().mean())
