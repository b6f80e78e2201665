from treino.reports.pictures import File as File
from treino.reports.pictures import RunPicture as RunPicture
from treino.reports.pictures import drawn_by as drawn_by
from treino.reports.pictures import plane_of as plane_of
from treino.reports.pictures import shown_splits as shown_splits
from treino.reports.pictures.picture_files import illustrate as illustrate
from treino.reports.run_report import called_again as called_again
from treino.reports.sweep_pictures import importance_of as importance_of
