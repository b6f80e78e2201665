from treino.reports.pictures import shown_splits as shown_splits
from treino.reports.pictures.film import film_files as film_files
from treino.reports.pictures.film import steps_of as steps_of
from treino.reports.pictures.picture_files import illustrate as illustrate
from treino.reports.run_report import called_again as called_again
from treino.reports.sweep_pictures import importance_of as importance_of
