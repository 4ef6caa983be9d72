"""Pasted sessions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.console import strip_prompts


@pytest.mark.parametrize(
    ("session", "commands"),
    [
        ("$ ls\n$ df -h", "ls\ndf -h"),
        ("$ ls\na  b\n\n$ df -h\n/dev/sda 1", "ls\n\ndf -h"),
        ("# list them\n$ ls\nfile", "# list them\nls"),
        ("$ kubectl get pods \\\n>   -n x\nNAME", "kubectl get pods \\\n  -n x"),
        ("$ echo 'a\nb'\na\nb", "echo 'a\nb'"),
        ("$ cat <<EOF\n$ x\nEOF\n$ x", "cat <<EOF\n$ x\nEOF\nx"),
        ("[root@host-1 ~]# systemctl status x\nactive", "systemctl status x"),
        ("ada@host:~/src$ make\nok", "make"),
        ("sh-4.4# ceph status\nHEALTH_OK", "ceph status"),
        ("(venv) $ pip list", "pip list"),
        ("❯ ls", "ls"),
        ("  $ ls", "ls"),
    ],
)
def test_a_session_becomes_what_one_would_paste(session: str, commands: str) -> None:
    assert strip_prompts(session, "console") == commands


@pytest.mark.parametrize(
    "text", ["ls\n$ df", "NAME READY\na 1/1", "# only a comment\n", "$HOME/bin/x", "# yum install x", "", "> x\ny"]
)
def test_what_is_no_session_stays_as_it_is(text: str) -> None:
    assert strip_prompts(text, "console") == text


def test_other_languages_have_no_prompts() -> None:
    assert strip_prompts("$ x = 1\ny", "php") == "$ x = 1\ny"


@given(st.text(alphabet="$ ab\\\n'\">#<E", max_size=200))
def test_no_text_is_too_odd(text: str) -> None:
    assert isinstance(strip_prompts(text, ""), str)
