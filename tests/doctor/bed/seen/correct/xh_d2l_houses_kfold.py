# expect: nothing
# House prices in the manner of the "Dive into Deep Learning" chapter, table made here
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils import data as tdata

torch.manual_seed(4)
rng = np.random.default_rng(4)


def make_houses(n):
    df = pd.DataFrame({
        'LotArea': rng.lognormal(9.0, 0.4, n),
        'OverallQual': rng.integers(1, 11, n),
        'YearBuilt': rng.integers(1900, 2011, n),
        'GrLivArea': rng.normal(1500, 400, n).clip(400),
        'Neighborhood': rng.choice(['NAmes', 'OldTown', 'Edwards', 'Somerst'], n),
    })
    place = df['Neighborhood'].map({'NAmes': 0.0, 'OldTown': -0.2, 'Edwards': -0.1, 'Somerst': 0.25})
    logp = (11.0 + 0.09 * df['OverallQual'] + 0.0003 * df['GrLivArea'] + 0.15 * (np.log(df['LotArea']) - 9)
            + 0.002 * (df['YearBuilt'] - 1950) + place + rng.normal(0, 0.1, n))
    df['SalePrice'] = np.exp(logp)
    df.loc[rng.random(n) < 0.1, 'LotArea'] = np.nan
    return df


numeric = ['LotArea', 'OverallQual', 'YearBuilt', 'GrLivArea']


def preprocess(fit_df, *dfs):
    mean, std = fit_df[numeric].mean(), fit_df[numeric].std()
    cats = sorted(fit_df['Neighborhood'].unique())
    out = []
    for df in dfs:
        # after standardizing, the mean of every column is 0: missing values become 0
        num = ((df[numeric] - mean) / std).fillna(0)
        cat = pd.DataFrame({c: (df['Neighborhood'] == c).astype(float) for c in cats})
        X = torch.tensor(pd.concat([num, cat], axis=1).values, dtype=torch.float32)
        y = torch.tensor(np.log(df['SalePrice'].values) - 12.0, dtype=torch.float32).reshape(-1, 1)
        out.append((X, y))
    return out


def get_net(in_features):
    return nn.Sequential(nn.Linear(in_features, 32), nn.ReLU(), nn.Linear(32, 1))


loss = nn.MSELoss()


def log_rmse(net, X, y):
    net.eval()
    with torch.no_grad():
        return torch.sqrt(loss(net(X), y)).item()


def train(net, train_xy, test_xy, num_epochs, lr, weight_decay, batch_size):
    train_iter = tdata.DataLoader(tdata.TensorDataset(*train_xy), batch_size, shuffle=True)
    optimizer = torch.optim.Adam(net.parameters(), lr=lr, weight_decay=weight_decay)
    train_ls, test_ls = [], []
    for _ in range(num_epochs):
        net.train()
        for X, y in train_iter:
            optimizer.zero_grad()
            l = loss(net(X), y)
            l.backward()
            optimizer.step()
        train_ls.append(log_rmse(net, *train_xy))
        test_ls.append(log_rmse(net, *test_xy))
    return train_ls, test_ls


def k_fold(k, df, **kw):
    parts = np.array_split(rng.permutation(len(df)), k)
    train_sum = valid_sum = 0.0
    for i in range(k):
        valid = df.iloc[parts[i]]
        rest = df.iloc[np.concatenate([parts[j] for j in range(k) if j != i])]
        train_xy, valid_xy = preprocess(rest, rest, valid)
        net = get_net(train_xy[0].shape[1])
        train_ls, valid_ls = train(net, train_xy, valid_xy, **kw)
        train_sum += train_ls[-1]
        valid_sum += valid_ls[-1]
        print(f'fold {i + 1}, train log rmse {train_ls[-1]:.4f}, valid log rmse {valid_ls[-1]:.4f}')
    return train_sum / k, valid_sum / k


houses = make_houses(1200)
train_l, valid_l = k_fold(5, houses, num_epochs=15, lr=0.01, weight_decay=0, batch_size=64)
print(f'5-fold validation: avg train log rmse: {train_l:.4f}, avg valid log rmse: {valid_l:.4f}')
print(f'spread of log price: {np.log(houses["SalePrice"]).std():.4f}')
