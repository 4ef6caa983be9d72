"""What a pattern is called."""

import pytest

from learner.naming import name_from
from learner.signature import sign


@pytest.mark.parametrize(
    ("alert", "text", "name"),
    [
        ("KubePodCrashLooping", "A pod is restarting", "Kube pod crash looping"),
        ("RabbitMQDown", "Broker is gone", "RabbitMQ down"),
        ("GitLabRunnerStuck", "The gitlab runner waits", "GitLab runner stuck"),
        ("GitLabRunnerStuck", "The runner waits", "Git lab runner stuck"),
        ("NodeCPUHigh", "CPU is busy", "Node CPU high"),
        ("node_disk_full", "No space left", "Node disk full"),
    ],
)
def test_an_alert_is_written_in_the_words_of_its_incidents(alert: str, text: str, name: str) -> None:
    assert name_from([sign(alert, text, alert=alert)]) == name


def test_without_a_common_alert_the_title_that_says_most_is_the_name() -> None:
    titles = ["Disk of database full", "Disk full again on the database", "Disk of database full"]
    assert name_from([sign(title, "") for title in titles]) == "Disk of database full"
