"""Why an incident went where it went, in plain sentences for whoever sent it in."""

from collections.abc import Callable, Iterator, Sequence

from learner.assign import Candidate, probability
from learner.similarity import Likeness, Profile, Weights

MAX_WORDS = 5

Name = Callable[[str], str]
"""Pattern id -> what people call it."""


def why_joined(
    chosen: Candidate, likeness: Likeness, words: Sequence[str], name: Name, weights: Weights
) -> Iterator[str]:
    """What spoke for the group that an incident joined."""
    incidents = "1 incident" if chosen.size == 1 else f"{chosen.size} incidents"
    yield (
        f"It joined '{name(chosen.pattern_id)}' ({incidents} so far); "
        f"they share a cause with probability {probability(chosen.margin):.2f}."
    )
    views = dict(likeness.views)
    alert = views.get("same alert", 0.0) + views.get("other alert", 0.0)
    if alert > 0.5:
        yield "The alert is the same."
    elif alert < -0.5:
        yield "The alert is a different one, which spoke against it."
    if words:
        yield f"Both speak of: {', '.join(words)}."
    title, text = views["title"] / weights.title, views["meaning"] / weights.full
    yield f"On average the titles are alike to {title:.2f} and the texts to {text:.2f}, where 1 is the same."
    if views.get("words of both sides that the other lacks", 0.0) < -0.5:
        yield "Each names something that the other does not, which spoke against it."


def why_founded(candidates: Sequence[Candidate], name: Name) -> Iterator[str]:
    """Why nothing known was joined."""
    if not candidates:
        yield "It is the first of its kind: nothing known is alike."
        return
    best = candidates[0]
    yield (
        f"Nothing known is alike enough. The nearest is '{name(best.pattern_id)}'; "
        f"that they share a cause has probability {probability(best.margin):.2f}."
    )


def what_came_close(candidates: Sequence[Candidate], name: Name) -> Iterator[str]:
    """The runner-up, when it was at all likely."""
    if len(candidates) > 1 and probability(candidates[1].margin) >= 0.05:
        second = candidates[1]
        yield f"Next came '{name(second.pattern_id)}' with probability {probability(second.margin):.2f}."


def shared_words(left: Profile, right: Profile) -> tuple[str, ...]:
    """The terms that tell most in both, most telling first."""
    shared = {term: value * right.terms[term] for term, value in left.terms.items() if term in right.terms}
    return tuple(sorted(shared, key=lambda term: (-shared[term], term))[:MAX_WORDS])
