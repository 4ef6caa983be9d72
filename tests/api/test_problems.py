"""One table turns errors into answers; an error without a row says nothing of its inside."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from api import problems
from kb.errors import InvalidInput, KBError, RunbookNotFound, StorageUnavailable

# In a process of its own, which has loaded what a server loads and nothing that other tests use.
_LIST_ERRORS_WITHOUT_A_ROW = """
import api.app, api.wiring
from api.problems import KIND_OF
from kb.errors import KBError
pending, found = [KBError], set()
while pending:
    cls = pending.pop()
    found.add(cls)
    pending.extend(cls.__subclasses__())
closest = {cls: next(base for base in cls.__mro__ if base in KIND_OF) for cls in found}
print(sorted(cls.__name__ for cls, base in closest.items() if base is KBError and cls is not KBError))
"""


def test_every_error_that_a_server_can_raise_has_an_answer_of_its_own(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LIST_ERRORS_WITHOUT_A_ROW], cwd=repository, capture_output=True, text=True, check=True
    )
    assert done.stdout == "['CannotListen']\n"  # that one ends the start, before there is a request


def test_the_closest_class_decides() -> None:
    class DiskGone(StorageUnavailable):
        pass

    assert problems.kind_of(DiskGone("x")).slug == "storage-unavailable"
    assert problems.kind_of(RunbookNotFound("x")).status == 404


def test_an_error_without_a_row_tells_nothing() -> None:
    class Odd(KBError):
        pass

    problem = problems.from_error(Odd("secret /etc/passwd", advice="look at /etc"))
    assert problem.kind.status == 500
    assert "etc" not in problem.detail + problem.advice


def test_wrong_input_names_the_field_and_busy_things_a_time_to_come_back() -> None:
    wrong = problems.from_error(InvalidInput("body.title", "is empty"))
    assert [(error.field, error.reason) for error in wrong.errors] == [("body.title", "is empty")]
    assert problems.from_error(StorageUnavailable("busy")).retry_after_s == 5


@pytest.mark.parametrize("text", ["\ud800 half", "nul \x00", "\u202e", "<script>", "é"])
def test_any_text_can_be_sent(text: str) -> None:
    response = problems.response(problems.Problem(problems.INVALID_REQUEST, text, text), request_id="r")
    document = json.loads(bytes(response.body))
    assert document["detail"] == text.encode("utf-8", "replace").decode()
    assert response.headers["content-type"] == "application/problem+json"
