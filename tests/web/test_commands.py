"""Commands cut into text and blanks: quoting is seen as the shell sees it, and the cluster is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.commands import Blank, Piece, split_command
from api.web.fill import Quoting
from api.web.shell_text import context_places, quoting_at
from kb.runbook import Parameter

POD = Parameter("pod", ("<pod>", "$POD"))
NAME = Parameter("pod_name", ("$POD_NAME", "<pod-name>"))


def shown(pieces: tuple[Piece, ...]) -> str:
    return "".join(
        f" {p.flag} «{p.name}»" if isinstance(p, Blank) and p.flag else f"«{p.name}»" if isinstance(p, Blank) else p
        for p in pieces
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kubectl get pods", "kubectl --context «cluster» get pods"),
        ("kubectl logs <pod> | grep x", "kubectl --context «cluster» logs «pod» | grep x"),
        ("kubectl --context prod get pods", "kubectl --context prod get pods"),
        ("kubectl get pods \\\n  --context=prod", "kubectl get pods \\\n  --context=prod"),
        ("kubectl get a; kubectl get b", "kubectl --context «cluster» get a; kubectl --context «cluster» get b"),
        (
            "kubectl get a | xargs kubectl delete",
            "kubectl --context «cluster» get a | xargs kubectl --context «cluster» delete",
        ),
        ('X="$(kubectl get a)"', 'X="$(kubectl --context «cluster» get a)"'),
        ("watch -n 5 kubectl get pods", "watch -n 5 kubectl --context «cluster» get pods"),
        (
            "for p in a b; do kubectl delete pod $p; done",
            "for p in a b; do kubectl --context «cluster» delete pod $p; done",
        ),
        ("KUBECONFIG=x kubectl get a", "KUBECONFIG=x kubectl --context «cluster» get a"),
        ("$ kubectl get a", "$ kubectl --context «cluster» get a"),
        ("helm rollback web 3", "helm --kube-context «cluster» rollback web 3"),
        ("kubectl config get-contexts", "kubectl config get-contexts"),
        ("helm repo update", "helm repo update"),
        ("# kubectl get pods", "# kubectl get pods"),
        ("echo kubectl get pods", "echo kubectl get pods"),
        ("sudo systemctl restart kubelet", "sudo systemctl restart kubelet"),
        ("kubectl", "kubectl"),
    ],
)
def test_every_cluster_command_names_its_cluster_once(text: str, expected: str) -> None:
    assert shown(split_command(text, "bash", [POD])) == expected


def test_other_languages_get_no_flags_and_only_harmless_values() -> None:
    pieces = split_command('up{pod="<pod>"} # kubectl get', "promql", [POD])
    assert pieces == ('up{pod="', Blank("pod", "<pod>", Quoting.LITERAL), '"} # kubectl get')


def test_a_variable_is_not_the_head_of_a_longer_one() -> None:
    assert shown(split_command("echo $POD_NAME $POD $PODS", "sh", [POD, NAME])) == "echo «pod_name» «pod» $PODS"


@pytest.mark.parametrize(
    ("text", "quoting"),
    [
        ("get @", Quoting.BARE),
        ("get '@'", Quoting.LITERAL),
        ('get "@"', Quoting.LITERAL),
        ('get "it\'s @"', Quoting.LITERAL),
        ("get '\"' @", Quoting.BARE),
        ('get "$(cat @)"', Quoting.BARE),
        ('get "$(cat "@")"', Quoting.LITERAL),
        ('get "$(cat) @"', Quoting.LITERAL),
        ("get `cat @`", Quoting.BARE),
        (r"get \"@", Quoting.BARE),
        ("ls # don't @", Quoting.LITERAL),
        ("ls # don't\nget @", Quoting.BARE),
        ("a#b '@'", Quoting.LITERAL),
        ("cat <<EOF\nit's @\nEOF", Quoting.LITERAL),
        ("cat <<'EOF' | sh\nit's\nEOF\nget @", Quoting.BARE),
        ("it's broken @", Quoting.LITERAL),
        ("echo $((1 + 2)) @", Quoting.BARE),
        ("ssh host systemctl restart @", Quoting.LITERAL),
        ("kubectl exec x -- sh -c @", Quoting.LITERAL),
        ("bash -ec run \\\n  @", Quoting.LITERAL),
        ("eval @", Quoting.LITERAL),
        ("ls ~/.ssh/ @", Quoting.BARE),
    ],
)
def test_a_blank_is_bare_only_where_one_shell_reads_it_once(text: str, quoting: Quoting) -> None:
    assert quoting_at(text, [text.index("@")]) == [quoting]


@given(st.text("kubectl get<pod>$POD'\"`()#\\\n|;& E", max_size=60))
def test_cutting_loses_no_character(text: str) -> None:
    pieces = split_command(text, "bash", [POD])
    assert (
        "".join(p.spelling if isinstance(p, Blank) else p for p in pieces if not (isinstance(p, Blank) and p.flag))
        == text
    )


@given(st.text("kubectl get\n|;&$() sudo", max_size=60))
def test_a_flag_goes_right_behind_a_command_name(text: str) -> None:
    for at, _flag in context_places(text):
        assert text[:at].endswith(("kubectl", "oc", "helm", "flux", "stern", "istioctl"))
