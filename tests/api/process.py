"""A real `sre-kb` process over a home of its own, for tests that kill it."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).resolve().parents[2]
MAIN = "import sys; from api.cli import main; sys.exit(main())"
_SERVES = re.compile(r"sre-kb serves on (http://\S+)/")

RUNBOOKS: Mapping[str, str] = {
    "static/pod-crash.md": "---\nid: pod-crash\nalerts: [KubePodCrashLooping]\n---\n# Pod is crash looping\n\n"
    "## Diagnosis\n\nRead the last words of the container that died: `kubectl logs --previous`.\n",
    "static/disk-full.md": "---\nid: disk-full\nseverity: critical\n---\n# Disk is full\n\n"
    "## Recovery\n\nRotate the logs of the node and remove what nobody needs.\n",
    "static/certificate.md": "# Certificate expires\n\nRenew the certificate with certbot before it runs out.\n",
}


def make_home(folder: Path, models_dir: Path, runbooks: Mapping[str, str] = RUNBOOKS) -> Path:
    """A home with a few runbooks and the model's export borrowed from the session's cache."""
    for path, text in runbooks.items():
        (folder / "runbooks" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "runbooks" / path).write_text(text, encoding="utf-8")
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "models").symlink_to(models_dir.resolve(), target_is_directory=True)
    return folder


def home_environment(home: Path) -> dict[str, str]:
    """The environment in which every command works on `home` and nothing else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SRE_KB_")}
    return {**kept, "SRE_KB_RUNBOOKS_DIR": str(home / "runbooks"), "SRE_KB_DATA_DIR": str(home / "data")}


def run_command(
    home: Path, *arguments: str, stdin: bytes = b"", also: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        cwd=REPOSITORY,
        env={**home_environment(home), **(also or {})},
        input=stdin,
        capture_output=True,
        timeout=300,
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    )


@dataclass
class Server:
    """`sre-kb serve` on a free port. Use as a context manager."""

    home: Path
    also: Mapping[str, str] = field(default_factory=dict)
    start_timeout_s: float = 120.0

    def __enter__(self) -> "Server":
        environment = {**home_environment(self.home), "SRE_KB_PORT": "0", **self.also}
        self.process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "serve"],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._has_address = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._has_address.wait(self.start_timeout_s)
        self.origin = next((match[1] for line in self.lines if (match := _SERVES.search(line))), "")
        assert self.origin, "".join(self.lines)
        self.client = httpx.Client(base_url=self.origin, timeout=30, trust_env=False)
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.kill()
        self._reader.join(5)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def wait_until_ready(self) -> None:
        """Until the index is complete."""
        until = time.monotonic() + self.start_timeout_s
        while time.monotonic() < until:
            try:
                answer = self.client.get("/readyz")
                if answer.status_code == 200 and not answer.json()["degraded"]:
                    return
            except httpx.TransportError:
                assert self.process.poll() is None, "".join(self.lines)
            time.sleep(0.05)
        raise AssertionError(f"not ready: {''.join(self.lines)}")

    def kill(self) -> None:
        """SIGKILL to the server and everything it has started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def terminate(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def found(self, text: str) -> Sequence[str]:
        """Ids of what a search finds, results and near misses."""
        response = self.client.get("/runbooks/search", params={"q": text})
        assert response.status_code == 200, (response.text, "".join(self.lines))
        answer = response.json()
        return [hit["id"] for hit in (*answer["results"], *answer["near_misses"])]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if _SERVES.search(line):
                self._has_address.set()
        self._has_address.set()
