"""CPU time and memory of the processes under test, by role.

Roles are read from command lines: the children of one `kagami up` process are classified, helpers and supervisors left
out. CPU is user plus system seconds; memory is USS (unshared) and RSS, in MiB, the largest of a role's processes.
"""

from __future__ import annotations

from dataclasses import dataclass

import psutil

ROLES = ("envoy", "control plane", "data plane", "postgres")


@dataclass(frozen=True, slots=True)
class Usage:
    cpu_seconds: float
    rss_mib: float
    uss_mib: float


def role_of(process: psutil.Process) -> str | None:
    """The role a process plays, or None for one that does no request work."""
    command = " ".join(process.cmdline())
    if "envoy" in process.name():
        return "envoy"
    if "-m dataplane" in command:
        # The master preloads and supervises; its forked children serve.
        parent = process.parent()
        return "data plane" if parent and "-m dataplane" in " ".join(parent.cmdline()) else None
    if "-m controlplane.simulator" in command:
        return None
    if "-m controlplane" in command:
        return "control plane"
    return "postgres" if process.name().startswith("postgres") else None


def measure(root_pid: int) -> dict[str, Usage]:
    """Totals per role over the descendants of `root_pid`, now."""
    totals: dict[str, Usage] = {}
    for process in psutil.Process(root_pid).children(recursive=True):
        try:
            role = role_of(process)
            if role is None:
                continue
            times, memory = process.cpu_times(), process.memory_full_info()
        except psutil.NoSuchProcess:
            continue
        before = totals.get(role, Usage(0.0, 0.0, 0.0))
        totals[role] = Usage(
            before.cpu_seconds + times.user + times.system,
            max(before.rss_mib, memory.rss / 2**20),
            max(before.uss_mib, memory.uss / 2**20),
        )
    return totals


def spent(before: dict[str, Usage], after: dict[str, Usage]) -> dict[str, float]:
    """CPU seconds per role between two measurements."""
    zero = Usage(0.0, 0.0, 0.0)
    return {role: after[role].cpu_seconds - before.get(role, zero).cpu_seconds for role in after}
