"""sre-kb version."""

from importlib.metadata import version

from pydantic import BaseModel

from api.commands.console import out, print_json


class VersionLine(BaseModel):
    """The version of the installed distribution."""

    version: str


def run(*, as_json: bool) -> int:
    """Print it."""
    line = VersionLine(version=version("sre-kb"))
    if as_json:
        print_json(line)
    else:
        out(line.version)
    return 0
