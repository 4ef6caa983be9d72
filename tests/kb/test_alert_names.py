"""Which words are alerts."""

import pytest

from kb.alert_names import explicit_names, is_alert_name, names_in_heading, names_in_title, split_names


@pytest.mark.parametrize(
    "name",
    [
        "KubePodCrashLooping", "KubeletDown", "TargetDown", "Watchdog", "InfoInhibitor", "etcdNoLeader", "HighCPU",
        "NodeFilesystemAlmostOutOfSpace", "KubeAPIErrorsHigh", "CPUThrottlingHigh",
        "PrometheusRemoteStorageFailures", "CephOSDCriticallyFull", "AlertmanagerFailedReload",
        "PostgreSQL_ReplicationLagHigh",
    ],
)  # fmt: skip
def test_alerts_are_known_by_a_word_of_trouble(name: str) -> None:
    assert is_alert_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "PostgreSQL", "OpenShift", "CephFS", "GitLab", "ChatOps", "CloudFlare", "StorageClass", "VolumeSnapshotClass",
        "ReactiveCachingWorker", "NoMethodError", "SendTimeoutError", "fullRatio", "crashCollector", "README",
        "kubelet",
        "ci_pending_builds", "Down", "HIGH", "High CPU", "", "A" * 300 + "aDown",
    ],
)  # fmt: skip
def test_products_kinds_and_settings_are_not_alerts(name: str) -> None:
    assert not is_alert_name(name)


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("`KubeletDown`", ("KubeletDown",)),
        ("3. KubeletDown", ("KubeletDown",)),
        ("KubeletDown alert", ("KubeletDown",)),
        ("KubeletDown, NodeDown and HostDown", ("KubeletDown", "NodeDown", "HostDown")),
        ("KubeletDown - what now", ("KubeletDown",)),
        ("KubeletDown (critical)", ("KubeletDown",)),
        ("Alert: KubeletDown", ("KubeletDown",)),
        ("Alert: `High CPU usage`", ("High CPU usage",)),
        ("ALERT - HostDown", ("HostDown",)),
        ("Alert: [AlertName]", ()),
        ("Alert categories", ()),
        ("When KubeletDown fires", ()),
        ("PostgreSQL", ()),
        ("", ()),
    ],
)
def test_headings_name_alerts(heading: str, names: tuple[str, ...]) -> None:
    assert names_in_heading(heading) == names


@pytest.mark.parametrize(
    ("title", "stem", "names"),
    [
        ("Kubelet Down", "KubeletDown", ("KubeletDown",)),
        ("Prometheus Bad Config", "PrometheusBadConfig", ("PrometheusBadConfig",)),
        ("MCCDrainError", "MachineConfigController", ("MCCDrainError",)),
        ("What to do", "HostDown", ("HostDown",)),
        ("Naming schemas", "ConfigNamingSchema", ()),
        ("OpenShift", "openshift", ()),
        ("Helper", "accessToolbox", ()),
    ],
)
def test_titles_and_file_names_stand_for_alerts(title: str, stem: str, names: tuple[str, ...]) -> None:
    assert names_in_title(title, stem) == names


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("HostDown or HostSlow", ("HostDown", "HostSlow")),
        ("pg_xid_wraparound", ("pg_xid_wraparound",)),
        ("High CPU", ("High CPU",)),
        ("HostDown: the host is down", ("HostDown",)),
        ("[Name]", ()),
        ("https://x.example/#/alerts", ()),
    ],
)
def test_values_hold_names(value: str, names: tuple[str, ...]) -> None:
    assert split_names(value) == names


def test_only_what_says_so_is_explicit() -> None:
    assert explicit_names("Alert name: HostDown") == ("HostDown",)
    assert explicit_names("Alerting: HostDown") == ()
    assert explicit_names("HostDown") == ()
