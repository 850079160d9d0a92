"""Hosts that are network namespaces of this machine, joined by a bridge; a host's link can be cut.

Addresses are of 10.213.0.0/24, which nothing outside the namespaces sees. Making them takes root and
the command ``ip``.
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

    def link(self, name: str) -> str:
        """Return the name of a host's end of the bridge."""
        return f"v{[*self.hosts].index(name)}n{self.tag}"

    def cut(self, name: str) -> None:
        ip("link", "set", self.link(name), "down")

    def mend(self, name: str) -> None:
        ip("link", "set", self.link(name), "up")


@contextmanager
def network(*names: str):
    """Yield hosts of these names; their namespaces and the bridge are removed at the end."""
    made = Network(names)
    bridge = f"br{made.tag}"
    with ExitStack() as stack:
        ip("link", "add", bridge, "type", "bridge")
        stack.callback(ip, "link", "delete", bridge)
        ip("link", "set", bridge, "up")
        for name, host in made.hosts.items():
            space, link = host.inside[-1], made.link(name)
            ip("netns", "add", space)
            # its end of the link goes with it, and the other end with that
            stack.callback(ip, "netns", "delete", space)
            ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("link", "set", link, "master", bridge, "up")
            inside = ("netns", "exec", space, "ip")
            ip(*inside, "address", "add", f"{host.address}/24", "dev", "eth0")
            ip(*inside, "link", "set", "eth0", "up")
            ip(*inside, "link", "set", "lo", "up")
        yield made
