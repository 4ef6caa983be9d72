"""What the pages about incidents, patterns, drafts and insights have in common."""

from collections.abc import Callable
from datetime import datetime

from api.learning.service import Learning
from api.web.render import Renderer


class LearningPages:
    """Pages over `Learning`, which is opened by whichever page first asks for it."""

    def __init__(self, learning: Callable[[], Learning], render: Renderer, now: Callable[[], datetime]) -> None:
        self._open = learning
        self._render = render
        self._urls = render.urls
        self._now = now

    @property
    def _learning(self) -> Learning:
        return self._open()
