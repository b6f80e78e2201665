# expect: nothing
import math, copy, random
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_wine, load_digits, load_diabetes, load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
torch.manual_seed(0); np.random.seed(0); random.seed(0)
X, y = load_digits(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X/16, y, test_size=.3, random_state=0, stratify=y)
xtr, xte = torch.tensor(Xtr).float(), torch.tensor(Xte).float()
ytr, yte = torch.tensor(ytr), torch.tensor(yte)
# ListNet with several scores per document (three criteria)
net=nn.Sequential(nn.Linear(6,16),nn.ReLU(),nn.Linear(16,3)); opt=torch.optim.Adam(net.parameters(),3e-3); w=torch.randn(6,3)
for q in range(200):
    x=torch.randn(12,6); rel=(x@w).clamp(0,4)
    s=net(x); loss=F.kl_div(F.log_softmax(s,dim=0),F.softmax(rel,dim=0),reduction="batchmean")
    opt.zero_grad(); loss.backward(); opt.step()
print(loss.item())