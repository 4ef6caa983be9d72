"""Small pictures drawn on the server: they need no script, can be printed, and say in words what they show. Each is an
SVG without styles of its own; `app.css` colours its classes. Pure."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from kb.pattern import Interval, Quantiles, Rate

_SPARK_HEIGHT = 24
_BAR_WIDTH, _BAR_STEP = 5, 7
_TRACK, _TRACK_MARGIN = 120, 5
_STRIP_WIDTH, _STRIP_HEIGHT = 640, 64
_STRIP_LEFT, _STRIP_RIGHT = 8, 632

_SPARK = Markup('<svg class="spark" viewBox="0 0 {width} {height}" role="img" aria-label="{told}">{bars}</svg>')
_SPARK_BAR = Markup('<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="1"/>')
_RATE = Markup(
    '<svg class="rate" viewBox="0 0 {width} 14" aria-hidden="true">'
    '<line class="track" x1="5" x2="{end}" y1="7" y2="7"/>'
    '<rect class="range" x="{low}" y="3" width="{span}" height="8" rx="4"/>{point}</svg>'
)
_POINT = Markup('<circle class="point" cx="{x}" cy="7" r="4"/>')
_STRIP = Markup(
    '<svg class="strip" viewBox="0 0 {width} {height}" role="img" aria-label="{told}">{box}{ticks}{dots}{median}</svg>'
)
_TICK = Markup('<line class="tick" x1="{x}" x2="{x}" y1="6" y2="44"/><text x="{x}" y="60">{label}</text>')
_DOT = Markup('<circle class="dot" cx="{x}" cy="{y}" r="4"/>')
_BOX = Markup('<rect class="range" x="{x}" y="8" width="{width}" height="34" rx="4"/>')
_MEDIAN = Markup('<line class="median" x1="{x}" x2="{x}" y1="4" y2="46"/>')

_TICKS_S = (
    (10.0, "10 s"),
    (60.0, "1 min"),
    (300.0, "5 min"),
    (900.0, "15 min"),
    (3_600.0, "1 h"),
    (14_400.0, "4 h"),
    (86_400.0, "1 d"),
    (604_800.0, "1 week"),
    (2_592_000.0, "30 d"),
)


def sparkline(counts: Sequence[int], told: str) -> Markup:
    """Counts of equal spans, oldest first, as bars; `told` is what a screen reader says instead."""
    highest = max(counts, default=0)
    bars = Markup("").join(
        _SPARK_BAR.format(
            kind="full" if count else "empty",
            x=place * _BAR_STEP,
            y=_SPARK_HEIGHT - _bar_height(count, highest),
            width=_BAR_WIDTH,
            height=_bar_height(count, highest),
        )
        for place, count in enumerate(counts)
    )
    width = max(1, len(counts) * _BAR_STEP - (_BAR_STEP - _BAR_WIDTH))
    return _SPARK.format(width=width, height=_SPARK_HEIGHT, told=told, bars=bars)


def _bar_height(count: int, highest: int) -> float:
    return round(3 + (_SPARK_HEIGHT - 3) * count / highest, 1) if count else 2


def rate_bar(rate: Rate) -> Markup:
    """A share between 0 and 1 with its interval. The numbers must stand beside it: it is hidden from screen readers."""
    room = _TRACK - 2 * _TRACK_MARGIN
    low, high = (_TRACK_MARGIN + room * bound for bound in (rate.interval.low, rate.interval.high))
    point = _POINT.format(x=round(_TRACK_MARGIN + room * rate.value, 1)) if rate.value is not None else Markup("")
    return _RATE.format(
        width=_TRACK, end=_TRACK - _TRACK_MARGIN, low=round(low, 1), span=round(max(2.0, high - low), 1), point=point
    )


def duration_strip(lengths_s: Sequence[float], quantiles: Quantiles, told: str) -> Markup:
    """Lengths of time as dots on a logarithmic scale, with the median and its interval; empty without any."""
    known = sorted(max(1.0, seconds) for seconds in lengths_s)
    if not known or quantiles.p50_s is None:
        return Markup("")
    scale = _Scale(known[0], known[-1])
    dots = Markup("").join(
        _DOT.format(x=scale.at(seconds), y=(14, 25, 36)[place % 3]) for place, seconds in enumerate(known)
    )
    ticks = Markup("").join(_TICK.format(x=scale.at(seconds), label=label) for seconds, label in scale.ticks())
    return _STRIP.format(
        width=_STRIP_WIDTH,
        height=_STRIP_HEIGHT,
        told=told,
        ticks=ticks,
        dots=dots,
        box=_box(scale, quantiles.p50_interval),
        median=_MEDIAN.format(x=scale.at(quantiles.p50_s)),
    )


def _box(scale: "_Scale", interval: Interval | None) -> Markup:
    if interval is None:
        return Markup("")
    left, right = scale.at(interval.low), scale.at(interval.high)
    return _BOX.format(x=left, width=round(max(2.0, right - left), 1))


class _Scale:
    """Seconds to a place on the strip, logarithmic, with room on both sides."""

    def __init__(self, shortest: float, longest: float) -> None:
        self._low, self._high = math.log(shortest / 1.6), math.log(longest * 1.6)

    def at(self, seconds: float) -> float:
        share = (math.log(max(1.0, seconds)) - self._low) / (self._high - self._low)
        return round(_STRIP_LEFT + (_STRIP_RIGHT - _STRIP_LEFT) * min(1.0, max(0.0, share)), 1)

    def ticks(self) -> list[tuple[float, str]]:
        inside = [tick for tick in _TICKS_S if self._low <= math.log(tick[0]) <= self._high]
        return inside[:: max(1, math.ceil(len(inside) / 7))]
