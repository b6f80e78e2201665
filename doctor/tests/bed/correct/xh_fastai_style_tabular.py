# expect: nothing
# %% Tabular learner from scratch, in the manner of the fast.ai course notebooks
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn, tensor
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(442)
torch.manual_seed(442)

# %% the table
n = 1500
df = pd.DataFrame(dict(
    Sex=np.random.choice(['male', 'female'], n),
    Pclass=np.random.choice([1, 2, 3], n),
    Age=np.random.normal(30, 14, n).clip(0.5, 80),
    SibSp=np.random.poisson(0.5, n),
    Embarked=np.random.choice(list('SCQ'), n),
))
df['Fare'] = np.random.lognormal(4.8 - 0.8 * df.Pclass, 0.6)
z = 2.4 * (df.Sex == 'female') - 1.0 * (df.Pclass - 2) - 0.03 * (df.Age - 30) - 0.3 * df.SibSp - 1.0
df['Survived'] = (np.random.rand(n) < 1 / (1 + np.exp(-1.6 * z))).astype(int)
df.loc[np.random.rand(n) < 0.15, 'Age'] = np.nan

# %% split, then fill and normalise with the training rows only
perm = np.random.permutation(n)
trn_split, val_split = perm[:1200], perm[1200:]
modes = df.iloc[trn_split].mode().iloc[0]
df = df.fillna({'Age': modes['Age']})
df['LogFare'] = np.log(df.Fare + 1)
df = pd.get_dummies(df, columns=['Sex', 'Pclass', 'Embarked'], dtype=float)

indep_cols = ['Age', 'SibSp', 'LogFare'] + [c for c in df.columns if c.split('_')[0] in ('Sex', 'Pclass', 'Embarked')]
t_dep = tensor(df.Survived.values, dtype=torch.float32)
t_indep = tensor(df[indep_cols].values, dtype=torch.float32)
mean, std = t_indep[trn_split].mean(dim=0), t_indep[trn_split].std(dim=0)
t_indep = (t_indep - mean) / std


# %% DataLoaders and Learner
class DataLoaders:
    def __init__(self, *dls):
        self.train, self.valid = dls[:2]


class Learner:
    def __init__(self, dls, model, loss_func, opt_func, metric):
        self.dls, self.model, self.loss_func = dls, model, loss_func
        self.opt_func, self.metric = opt_func, metric

    def one_epoch(self, train):
        self.model.train(train)
        dl = self.dls.train if train else self.dls.valid
        tot, met, cnt = 0.0, 0.0, 0
        with torch.set_grad_enabled(train):
            for xb, yb in dl:
                preds = self.model(xb)
                loss = self.loss_func(preds, yb)
                if train:
                    loss.backward()
                    self.opt.step()
                    self.opt.zero_grad()
                    self.sched.step()
                tot += loss.item() * len(xb)
                met += self.metric(preds.detach(), yb).item() * len(xb)
                cnt += len(xb)
        return tot / cnt, met / cnt

    def fit_one_cycle(self, n_epoch, lr_max):
        self.opt = self.opt_func(self.model.parameters(), lr=lr_max)
        self.sched = torch.optim.lr_scheduler.OneCycleLR(
            self.opt, max_lr=lr_max, total_steps=n_epoch * len(self.dls.train) + 1)
        print('epoch  train_loss  valid_loss  accuracy')
        for epoch in range(n_epoch):
            trn_loss, _ = self.one_epoch(True)
            val_loss, acc = self.one_epoch(False)
            print(f'{epoch:5d}  {trn_loss:10.4f}  {val_loss:10.4f}  {acc:8.3f}')


def accuracy(logits, yb):
    return ((logits > 0) == yb.bool()).float().mean()


class TabModel(nn.Sequential):
    def __init__(self, n_in, layers=(32, 16), p=0.1):
        mods = []
        for nh in layers:
            mods += [nn.Linear(n_in, nh), nn.ReLU(), nn.BatchNorm1d(nh), nn.Dropout(p)]
            n_in = nh
        super().__init__(*mods, nn.Linear(n_in, 1), nn.Flatten(0))


# %% fit
trn_ds = TensorDataset(t_indep[trn_split], t_dep[trn_split])
val_ds = TensorDataset(t_indep[val_split], t_dep[val_split])
dls = DataLoaders(DataLoader(trn_ds, batch_size=64, shuffle=True, drop_last=True), DataLoader(val_ds, batch_size=128))
learn = Learner(dls, TabModel(len(indep_cols)), F.binary_cross_entropy_with_logits, torch.optim.AdamW, accuracy)
learn.fit_one_cycle(8, 1e-2)
print('share of survivors in validation:', round(t_dep[val_split].mean().item(), 3))
