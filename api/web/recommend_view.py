"""What ended such incidents before, as the search page, an incident's page and a pattern's page show it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup

from api.web.amounts import between, between_lengths, counted, length, of_trials, percent
from api.web.graphics import rate_bar
from api.web.marks import chance_in_words
from api.web.urls import Urls
from kb.pattern import ActionStats
from learner.recommend import Recommendation, SimilarIncident

MAX_COMMANDS = 3
MAX_SIDE_EFFECTS = 3


@dataclass(frozen=True, slots=True)
class ActionLine:
    """One action with its numbers in words. `key` names it in a form; `caution` is empty where it did no harm."""

    key: str
    name: str
    worked: str
    share: str
    interval: str
    bar: Markup
    tried: int
    failed: int
    worse: int
    unknown: int
    median: str
    caution: str
    commands: tuple[str, ...]
    side_effects: tuple[str, ...]
    wordings: tuple[str, ...]
    principals: int
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SimilarLine:
    """One past incident and how it ended."""

    href: str
    title: str
    ended: str
    worked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecommendationScreen:
    """The block. `is_confident` is False when no pattern is likely enough; then only `nearest` may say something."""

    is_confident: bool
    pattern_id: str
    pattern_name: str
    pattern_href: str
    likelihood: str
    chance: str
    actions: tuple[ActionLine, ...]
    cautions: tuple[ActionLine, ...]
    similar: tuple[SimilarLine, ...]
    expected: str
    expected_interval: str


def recommendation_screen(recommendation: Recommendation, urls: Urls) -> RecommendationScreen:
    """A recommendation for the page."""
    shown = {stats.key for stats in recommendation.actions}
    return RecommendationScreen(
        is_confident=recommendation.confident,
        pattern_id=recommendation.pattern_id or "",
        pattern_name=recommendation.pattern_name,
        pattern_href=urls.pattern(recommendation.pattern_id) if recommendation.pattern_id else "",
        likelihood=percent(recommendation.likelihood),
        chance=chance_in_words(recommendation.likelihood),
        actions=action_lines(recommendation.actions, recommendation.said),
        cautions=action_lines(
            (stats for stats in recommendation.cautions if stats.key not in shown), recommendation.said
        ),
        similar=similar_lines(recommendation.similar, urls),
        expected=length(recommendation.expected_s),
        expected_interval=between_lengths(recommendation.expected_interval),
    )


def action_lines(
    actions: Iterable[ActionStats], said: Mapping[str, tuple[str, ...]] = MappingProxyType({})
) -> tuple[ActionLine, ...]:
    """Actions for a page, in their order; `said` by their keys."""
    return tuple(_action(stats, said.get(stats.key, ())) for stats in actions)


def _action(stats: ActionStats, said: tuple[str, ...]) -> ActionLine:
    return ActionLine(
        key=stats.key,
        name=stats.name,
        worked=of_trials(stats.success),
        share=percent(stats.success.value),
        interval=between(stats.success.interval),
        bar=rate_bar(stats.success),
        tried=stats.tried,
        failed=stats.failed,
        worse=stats.worse,
        unknown=stats.unknown,
        median=length(stats.median_s),
        caution=f"made it worse in {stats.worse} of {counted(stats.harm.trials, 'incident')}" if stats.worse else "",
        commands=tuple(cited.text for cited in stats.commands[:MAX_COMMANDS]),
        side_effects=tuple(cited.text for cited in stats.side_effects[:MAX_SIDE_EFFECTS]),
        wordings=stats.wordings[1:],
        principals=stats.principals,
        said=said,
    )


def similar_lines(similar: Sequence[SimilarIncident], urls: Urls) -> tuple[SimilarLine, ...]:
    """Past incidents for a page."""
    return tuple(
        SimilarLine(urls.incident(one.incident_id), one.title, ended(one.success, one.lasted_s), one.worked)
        for one in similar
    )


def ended(success: bool | None, lasted_s: float | None) -> str:
    """How an incident ended: whether it was resolved, and after how long."""
    after = f" after {length(lasted_s)}" if lasted_s is not None else ""
    if success is None:
        return f"ended{after}" if after else ""
    return f"resolved{after}" if success else f"not resolved{after}"
