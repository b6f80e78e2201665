"""The pictures that the app adds to ``treino plot``."""

from treino.reports import RunPicture, drawn_by

LANDSCAPE, PATH, WALKER, LINE = (
    RunPicture(drawn_by("treino_landscape.pictures", function), whole=True)
    for function in ("landscape_picture", "path_picture", "walker_picture", "line")
)
