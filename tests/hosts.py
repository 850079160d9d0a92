"""Hosts that are network namespaces of this machine, joined by a bridge; a host's link can be cut.

The bridge lies in a namespace of its own: in the machine's, its firewall (Docker's drops what it does
not know) would stand between the hosts. Addresses are of 10.213.0.0/24, which nothing outside the
namespaces sees. Making them takes root and the command ``ip``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack, contextmanager

from tests.clusters import Host


def why_none() -> str:
    """Return why hosts can't be made here; empty if they can."""
    if os.getuid() != 0 or shutil.which("ip") is None:
        return "network namespaces take root and the command ip"
    name = f"hx{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "network namespaces are not allowed here"
    subprocess.run(["ip", "netns", "delete", name], check=True)
    return ""


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Network:
    """Hosts on one bridge, by name."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.tag = f"{os.getpid() % 100_000}"
        self.hosts = {
            name: Host(("ip", "netns", "exec", f"h{i}n{self.tag}"), f"10.213.0.{i + 1}")
            for i, name in enumerate(names)
        }

    @property
    def switch(self) -> str:
        """The namespace of the bridge."""
        return f"sn{self.tag}"

    def link(self, name: str) -> str:
        """Return the name of a host's end of the bridge."""
        return f"v{[*self.hosts].index(name)}"

    def cut(self, name: str) -> None:
        ip("-n", self.switch, "link", "set", self.link(name), "down")

    def mend(self, name: str) -> None:
        ip("-n", self.switch, "link", "set", self.link(name), "up")


@contextmanager
def network(*names: str):
    """Yield hosts of these names; their namespaces and the bridge's are removed at the end."""
    made = Network(names)
    in_switch = ("-n", made.switch)
    with ExitStack() as stack:
        ip("netns", "add", made.switch)
        # the bridge and the links' ends go with it
        stack.callback(ip, "netns", "delete", made.switch)
        ip(*in_switch, "link", "add", "bridge", "type", "bridge")
        ip(*in_switch, "link", "set", "bridge", "up")
        for name, host in made.hosts.items():
            space, link = host.inside[-1], made.link(name)
            ip("netns", "add", space)
            stack.callback(ip, "netns", "delete", space)
            ip(
                *in_switch,
                "link",
                "add",
                link,
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                space,
            )
            ip(*in_switch, "link", "set", link, "master", "bridge", "up")
            ip("-n", space, "address", "add", f"{host.address}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "link", "set", "lo", "up")
        yield made
