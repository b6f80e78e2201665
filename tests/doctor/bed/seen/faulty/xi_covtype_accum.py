# expect: grad_cleared_before_step @ 54
# allowed: grad_cleared_before_step @ 55
# forest cover style table, gradient accumulation over small batches
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)

X, y = make_classification(n_samples=2400, n_features=20, n_informative=10, n_classes=4,
                           class_sep=1.4, random_state=1)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=400, stratify=y, random_state=1)
prep = make_pipeline(QuantileTransformer(n_quantiles=200, output_distribution="normal", random_state=1))
X_train = prep.fit_transform(X_train)
X_val = prep.transform(X_val)

train_set = TensorDataset(torch.as_tensor(X_train, dtype=torch.float32), torch.as_tensor(y_train))
val_set = TensorDataset(torch.as_tensor(X_val, dtype=torch.float32), torch.as_tensor(y_val))
train_loader = DataLoader(train_set, batch_size=20, shuffle=True)
val_loader = DataLoader(val_set, batch_size=100)

model = torch.nn.Sequential(
    torch.nn.Linear(20, 64),
    torch.nn.LayerNorm(64),
    torch.nn.GELU(),
    torch.nn.Linear(64, 4),
)
criterion = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-2)
accum_steps = 4


def evaluate():
    model.eval()
    correct = 0
    with torch.no_grad():
        for xb, yb in val_loader:
            correct += (model(xb).argmax(dim=1) == yb).sum().item()
    return correct / len(val_set)


for epoch in range(12):
    model.train()
    seen, total = 0, 0.0
    for i, (xb, yb) in enumerate(train_loader):
        loss = criterion(model(xb), yb)
        (loss / accum_steps).backward()
        total += loss.item() * len(yb)
        seen += len(yb)
        if (i + 1) % accum_steps == 0:
            optimizer.zero_grad()
            optimizer.step()
    print(f"epoch {epoch}: loss {total / seen:.4f}  val acc {evaluate():.3f}")
