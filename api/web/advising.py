"""Asks the learner what ended incidents like an alert or a text, for pages that stand by themselves without it."""

from api.acts import SearchRequest
from api.services import Services
from api.web.recommend_view import RecommendationScreen, recommendation_screen
from api.web.urls import Urls
from kb.errors import KBError
from kb.incident import Alert

_MIN_CHARS = 4
_MAX_CHARS = 16_384  # of a text that is no JSON; what matters in it comes long before


def advice_for(services: Services, urls: Urls, text: str, alert: Alert | None = None) -> RecommendationScreen | None:
    """What the learner says of a text, or of the alert that it was read as; None for nothing, and while it cannot."""
    if alert is None and len(text.strip()) < _MIN_CHARS:
        return None
    try:
        found = services.learning.recognise(
            SearchRequest(text="" if alert else text[:_MAX_CHARS], alert=alert, limit=1)
        )
    except KBError:
        return None
    return recommendation_screen(found, urls) if found.confident else None
