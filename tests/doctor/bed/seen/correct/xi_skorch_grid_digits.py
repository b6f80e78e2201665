# expect: nothing
# needs: skorch
# skorch with a scikit-learn pipeline and a grid search on the training rows
import torch
from torch import nn
from skorch import NeuralNetClassifier
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, y = X.astype("float32"), y.astype("int64")
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)


class ClassifierModule(nn.Module):
    def __init__(self, num_units=32):
        super().__init__()
        self.hidden = nn.Linear(64, num_units)
        self.output = nn.Linear(num_units, 10)

    def forward(self, X):
        return self.output(torch.relu(self.hidden(X)))


net = NeuralNetClassifier(
    ClassifierModule, criterion=nn.CrossEntropyLoss, optimizer=torch.optim.Adam,
    lr=5e-3, max_epochs=8, batch_size=64, iterator_train__shuffle=True,
    train_split=None, verbose=0)
pipe = Pipeline([("scale", MinMaxScaler()), ("net", net)])
search = GridSearchCV(pipe, {"net__module__num_units": [16, 48]}, cv=2, scoring="accuracy")
search.fit(X_train, y_train)
print("best", search.best_params_, f"cv {search.best_score_:.3f}")
print(f"test accuracy {search.score(X_test, y_test):.3f}")
