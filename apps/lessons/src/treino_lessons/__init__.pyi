from treino_lessons.comparison import Outcome as Outcome
from treino_lessons.comparison import check as check
from treino_lessons.differences import Difference as Difference
