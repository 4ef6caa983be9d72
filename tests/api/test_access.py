"""The table of who may do what."""

import pytest

from api.access import LEAST_ROLE, AccessDenied, may, methods_at, require
from kb.principal import Face, Principal, Role, local


def _somebody(role: Role) -> Principal:
    return Principal(name="sam", role=role, face=Face.HTTP)


def test_the_person_at_this_machine_may_do_everything() -> None:
    assert all(may(local(Face.CLI), door) for door in LEAST_ROLE)


@pytest.mark.parametrize("role", list(Role))
def test_a_door_without_a_row_is_shut_for_everyone(role: Role) -> None:
    assert not may(_somebody(role), "POST /runbooks/secret")


@pytest.mark.parametrize(
    ("role", "reads", "writes", "publishes", "serves"),
    [
        (Role.VIEWER, True, False, False, False),
        (Role.RESPONDER, True, True, False, False),
        (Role.APPROVER, True, True, True, False),
        (Role.ADMIN, True, True, True, True),
        (Role.AGENT, True, True, False, False),
    ],
)
def test_each_role_opens_what_it_should(role: Role, reads: bool, writes: bool, publishes: bool, serves: bool) -> None:
    doors = ("GET /runbooks/search", "PUT /runbooks/{runbook_id}", "POST /runbooks/{runbook_id}/publish", "cli serve")
    assert tuple(may(_somebody(role), door) for door in doors) == (reads, writes, publishes, serves)


def test_a_refusal_names_the_role_that_is_missing() -> None:
    with pytest.raises(AccessDenied) as caught:
        require(_somebody(Role.VIEWER), "cli index")
    assert caught.value.message == "sam (viewer) may not use cli index: it asks for the role responder."


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/runbooks/pod-crash", ("DELETE", "GET", "PUT")),
        ("/runbooks/search", ("DELETE", "GET", "POST", "PUT")),
        ("/runbooks", ("GET",)),
        ("/assets/1/vendor/htmx.js", ("GET",)),
        ("/runbooks/a/b/c", ()),
        ("/runbooksX", ()),
    ],
)
def test_a_path_names_the_methods_it_takes(path: str, methods: tuple[str, ...]) -> None:
    assert methods_at(path) == methods
