# expect: nothing
# # Tabular regression: 5-fold out-of-fold baseline
# In[1]:
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import KFold, train_test_split
from sklearn.preprocessing import StandardScaler

SEED = 2024
N_FOLDS = 5
EPOCHS = 15


def seed_everything(seed):
    np.random.seed(seed)
    torch.manual_seed(seed)


seed_everything(SEED)

# In[2]: the table
rng = np.random.default_rng(SEED)
n = 1000
df = pd.DataFrame({
    "age": rng.uniform(18, 75, n),
    "height_cm": rng.normal(172, 9, n),
    "weight_kg": rng.normal(76, 13, n),
    "waist_cm": rng.normal(88, 11, n),
    "steps_k": rng.gamma(4.0, 2.0, n),
})
bmi = df.weight_kg / (df.height_cm / 100) ** 2
df["bodyfat"] = (0.9 * bmi + 0.25 * (df.waist_cm - 88) + 0.08 * df.age
                 - 0.4 * np.sqrt(df.steps_k) + rng.normal(0, 1.0, n))
df.loc[rng.random(n) < 0.05, "waist_cm"] = np.nan
train, test = train_test_split(df, test_size=0.2, random_state=SEED)
train, test = train.reset_index(drop=True), test.reset_index(drop=True)
features = [c for c in df.columns if c != "bodyfat"]


# In[3]: network
class TabNet(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        return self.seq(x).squeeze(1)


def prepare(fit_on, *tables):
    median = fit_on[features].median()
    scaler = StandardScaler().fit(fit_on[features].fillna(median))
    return [torch.tensor(scaler.transform(t[features].fillna(median)), dtype=torch.float32) for t in tables]


def predict(model, x):
    model.eval()
    with torch.no_grad():
        return model(x).numpy()


# In[4]: folds
oof = np.zeros(len(train))
test_pred = np.zeros(len(test))
kf = KFold(n_splits=N_FOLDS, shuffle=True, random_state=SEED)
for fold, (tr_idx, va_idx) in enumerate(kf.split(train)):
    tr, va = train.iloc[tr_idx], train.iloc[va_idx]
    x_tr, x_va, x_te = prepare(tr, tr, va, test)
    mu, sd = tr.bodyfat.mean(), tr.bodyfat.std()
    y_tr = torch.tensor(((tr.bodyfat - mu) / sd).values, dtype=torch.float32)
    loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=32, shuffle=True)

    model = TabNet(len(features))
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=8e-3, total_steps=EPOCHS * len(loader))
    loss_fn = nn.MSELoss()
    for epoch in range(EPOCHS):
        model.train()
        for xb, yb in loader:
            opt.zero_grad()
            loss = loss_fn(model(xb), yb)
            loss.backward()
            opt.step()
            sched.step()

    oof[va_idx] = predict(model, x_va) * sd + mu
    test_pred += (predict(model, x_te) * sd + mu) / N_FOLDS
    print(f"fold {fold}: rmse {mean_squared_error(va.bodyfat, oof[va_idx]) ** 0.5:.3f}")

# In[5]: scores
print(f"std of target: {train.bodyfat.std():.3f}")
print(f"OOF  rmse: {mean_squared_error(train.bodyfat, oof) ** 0.5:.3f}")
print(f"test rmse: {mean_squared_error(test.bodyfat, test_pred) ** 0.5:.3f}")
