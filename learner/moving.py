"""Moving incidents that are placed already: what a person's word, a changed text or another process asks for. Only what
is touched is summed up anew."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from learner.assign import Grouping, Micro
from learner.signature import Signature
from learner.similarity import Profile, profile_of, sum_of

Moves = Mapping[int, str | None]
"""Item number -> the group where the incident stands from now on; None: in none."""


def move(grouping: Grouping, moves: Moves) -> None:
    """Put incidents into other groups, known or new; near repetitions that go different ways are cut."""
    of_micro: defaultdict[int, list[int]] = defaultdict(list)
    for number in sorted(moves):
        micro = grouping.micro_of.get(number)
        if micro is not None:
            of_micro[micro].append(number)
    touched = {grouping.micros[micro].group for micro in of_micro} | {to for to in moves.values() if to is not None}
    homeless = [number for number in sorted(moves) if number not in grouping.micro_of]
    for micro in sorted(of_micro):
        _cut(grouping, grouping.micros[micro], moves)
    grouping.reindex(sorted(touched))
    for number in homeless:
        to = moves[number]
        if to is not None:
            grouping.place(number, profile_of(grouping.read(grouping.items[number].signature)), to)


def reread(grouping: Grouping, number: int, signature: Signature, *, principal: str, service: str) -> None:
    """An incident says something else than before. It stays in its group."""
    item = grouping.items[number]
    says_the_same = item.signature == signature
    group = grouping.pattern_of(item.id)
    if not says_the_same:
        move(grouping, {number: None})
    grouping.items[number] = replace(item, signature=signature, principal=principal, service=service)
    if group is not None and not says_the_same:
        grouping.place(number, profile_of(grouping.read(signature)), group)


def moves_between(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> dict[str, str | None]:
    """What differs, in terms of incident ids; only incidents of both sides."""
    return {key: after[key] for key, group in before.items() if key in after and after[key] != group}


def standing_of(grouping: Grouping) -> dict[str, str | None]:
    """Every learnt incident with its group, in the order of learning."""
    groups = {number: grouping.micros[micro].group for number, micro in grouping.micro_of.items()}
    return {item.id: groups.get(number) for number, item in enumerate(grouping.items)}


def profile_over(grouping: Grouping, numbers: Iterable[int]) -> Profile:
    """The profile of some incidents, at least one, through the present lexicon."""
    counts = Counter(grouping.items[number].signature for number in numbers)
    grouping.embed_missing(list(counts))
    return sum_of(profile_of(grouping.read(signature), count) for signature, count in counts.items())


def _cut(grouping: Grouping, micro: Micro, moves: Moves) -> None:
    parts: defaultdict[str | None, list[int]] = defaultdict(list)
    for number in micro.members:
        parts[moves.get(number, micro.group)].append(number)
    if len(parts) == 1 and None not in parts:
        grouping.shift(micro, next(iter(parts)))
        return
    grouping.shift(micro, None)
    for number in micro.members:
        del grouping.micro_of[number]
    for group, numbers in _in_order(parts):
        grouping.add_micro(numbers, profile_over(grouping, numbers), group)


def _in_order(parts: Mapping[str | None, Sequence[int]]) -> list[tuple[str, Sequence[int]]]:
    return sorted((group, numbers) for group, numbers in parts.items() if group is not None)
