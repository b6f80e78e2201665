"""The picture that the app adds to ``treino plot``."""

from treino.reports import RunPicture, drawn_by

FILM = RunPicture(
    drawn_by("treino_film.pictures", "film_files"),
    files=("film.png", "film.gif", "film.html", "film/frame-*.png"),
    choices=("every",),
    announcement=drawn_by("treino_film.pictures", "announcement"),
)
