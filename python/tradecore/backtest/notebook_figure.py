"""A figure that a notebook shows without `pyplot`; imported for a plot alone, as matplotlib is heavy."""

import io

from matplotlib.figure import Figure


class NotebookFigure(Figure):
    """A figure of matplotlib with a picture of itself for notebooks; `savefig` writes it to a file."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()
