"""What people say of recommended actions and patterns, heard in a recommendation: shown as it is, and counted where the
evidence of incidents makes a close call. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from kb.feedback_weight import Feedback
from kb.pattern import ActionStats
from learner.recommend import Recommendation

MAX_SAY = 0.1
"""What feedback adds to or takes from the lower bound of a success rate at most, when actions are ordered by it."""


def targets_of(found: Recommendation) -> tuple[str, ...]:
    """What people may have judged of a recommendation: its pattern and its actions."""
    keys = [stats.key for stats in (*found.actions, *found.cautions)]
    return tuple(dict.fromkeys([*([found.pattern_id] if found.pattern_id else []), *keys]))


def heed(found: Recommendation, feedback: Mapping[str, Feedback]) -> Recommendation:
    """`found` with its actions in the order that feedback leaves them in, and with what was said.

    What one source alone saw work stays behind what several did, whatever is said of either.
    """
    heard = {target: feedback[target] for target in targets_of(found) if target in feedback}
    if not heard:
        return found

    def place(stats: ActionStats) -> tuple[bool, float, int, str]:
        say = MAX_SAY * heard[stats.key].value if stats.key in heard else 0.0
        return (stats.principals < 2, -(stats.success.interval.low + say), -stats.worked, stats.key)

    said = {target: one.notes for target, one in heard.items()}
    return replace(found, actions=tuple(sorted(found.actions, key=place)), said=said)
