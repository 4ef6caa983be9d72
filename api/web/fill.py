"""The blanks of a command: which alert label fills which parameter, whether a value may be pasted, and how it is quoted
where it stands. `assets/fill.js` decides the same in the browser; both pass tests/cases/web/quoting.json."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

MAX_VALUE_CHARS = 512


class Quoting(StrEnum):
    """Where a blank stands. BARE: among a command's words, so any value becomes one quoted word. LITERAL: where
    something else reads the text again (quotes, a query, a here-document, ssh): only harmless values go in.
    """

    BARE = "bare"
    LITERAL = "literal"


_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
# Controls, line separators, and the invisible characters that make a command look like another one.
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")

# Names authors give a blank -> labels that may fill it, best first. Only labels that mean the same thing: a wrong value
# in a command is worse than a blank, so `job` never fills a service and `path` is nobody's.
_SOURCES: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = (
    (frozenset({"namespace", "ns", "kube_namespace"}), ("namespace", "exported_namespace", "kubernetes_namespace")),
    (frozenset({"pod", "pod_name", "podname"}), ("pod", "pod_name", "exported_pod", "kubernetes_pod_name")),
    (frozenset({"container", "container_name"}), ("container", "container_name", "exported_container")),
    (
        frozenset({"cluster", "cluster_name", "context", "kube_context", "kubectl_context"}),
        ("cluster", "cluster_name", "kubernetes_cluster", "k8s_cluster"),
    ),
    (
        frozenset({"node", "node_name", "nodename", "host", "hostname", "host_name", "server"}),
        ("node", "nodename", "kubernetes_node", "hostname", "host", "instance"),
    ),
    (
        frozenset({"service", "service_name", "svc", "app", "app_name", "application"}),
        ("service", "service_name", "app", "application", "app_kubernetes_io_name"),
    ),
    (frozenset({"deployment", "deployment_name", "deploy"}), ("deployment",)),
    (frozenset({"statefulset", "statefulset_name", "sts"}), ("statefulset",)),
    (frozenset({"daemonset", "daemonset_name", "ds"}), ("daemonset",)),
    (frozenset({"job", "job_name"}), ("job_name",)),
    (frozenset({"cronjob", "cronjob_name"}), ("cronjob",)),
    (frozenset({"pvc", "pvc_name", "persistentvolumeclaim", "claim_name"}), ("persistentvolumeclaim",)),
    (frozenset({"pv", "pv_name", "persistentvolume"}), ("persistentvolume",)),
    (frozenset({"hpa", "hpa_name", "horizontalpodautoscaler"}), ("horizontalpodautoscaler", "hpa")),
    (frozenset({"disk", "block_device"}), ("device",)),
    (frozenset({"mount", "mount_point"}), ("mountpoint",)),
    (frozenset({"database", "database_name", "db", "db_name", "dbname"}), ("datname", "database", "db")),
    (frozenset({"consumer_group", "consumergroup"}), ("consumergroup", "consumer_group")),
    (frozenset({"topic_name"}), ("topic",)),
    (frozenset({"queue_name"}), ("queue",)),
    (frozenset({"ingress_name"}), ("ingress",)),
    (frozenset({"aws_region"}), ("region",)),
    (frozenset({"environment", "env"}), ("environment", "env")),
)
_HOSTS = frozenset({"node", "node_name", "nodename", "host", "hostname", "host_name", "server"})
# An exporter that watches other things labels its metrics with its own job and address.
_WATCHERS = frozenset({"kube-state-metrics", "blackbox", "blackbox-exporter", "pushgateway"})
_LEADING = re.compile(r"^(?:your|my|the|a|an|target|affected|failing|some|name_of|name_of_the)_")


def refusal(value: str) -> str:
    """Why `value` may not be pasted into any command; empty when it may."""
    if len(value) > MAX_VALUE_CHARS:
        return f"longer than {MAX_VALUE_CHARS} characters"
    if _HIDDEN.search(value):
        return "holds control or invisible characters"
    if value.startswith(("-", "@")):
        return f"begins with '{value[0]}', so a command would read it as an option or a file"
    return ""


def quote(value: str, quoting: Quoting) -> str | None:
    """`value` as it must stand in a command, or None when it cannot stand there safely. Empty values fill nothing."""
    if not value or refusal(value):
        return None
    if _SAFE.fullmatch(value):
        return value
    return "'" + value.replace("'", "'\"'\"'") + "'" if quoting is Quoting.BARE else None


def values_for(parameters: Iterable[str], labels: Mapping[str, str]) -> dict[str, str]:
    """The values that alert labels give to named parameters; a label of the parameter's own name wins."""
    known = _of_the_thing_itself({_plain(name): value.strip() for name, value in labels.items() if value.strip()})
    filled = {name: _value_of(_plain(name), known) for name in parameters}
    return {name: value for name, value in filled.items() if value and not refusal(value)}


def _plain(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
    return _LEADING.sub("", plain)


def _of_the_thing_itself(labels: Mapping[str, str]) -> dict[str, str]:
    scraped = labels.get("job") in _WATCHERS
    return {name: value for name, value in labels.items() if not (scraped and name in ("job", "instance"))}


def _value_of(parameter: str, labels: Mapping[str, str]) -> str:
    for source in (parameter, *_sources_of(parameter)):
        if source == "instance" and parameter in _HOSTS and "pod" in labels:
            continue  # the address of a pod is not the name of its node
        if source in labels:
            return _without_port(labels[source]) if parameter in _HOSTS else labels[source]
    return ""


def _sources_of(parameter: str) -> tuple[str, ...]:
    return next((sources for names, sources in _SOURCES if parameter in names), ())


def _without_port(address: str) -> str:
    return re.sub(r"(?<=[^:]):\d{1,5}$", "", address)
