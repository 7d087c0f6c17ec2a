# SPDX-License-Identifier: Apache-2.0
"""What the kernel counts: processor time, memory and writes of processes, and what else runs here."""

import os
from pathlib import Path

PROC = Path("/proc")
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def threads_cpu_s(pid):
    """Seconds of each thread's name; exact to the nanosecond where the kernel counts so."""
    seconds = {}
    for task in (PROC / str(pid) / "task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            try:
                used = int((task / "schedstat").read_text().split()[0]) / 1e9
            except FileNotFoundError:
                used = stat_cpu_s(task / "stat")[0]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        seconds[name] = seconds.get(name, 0) + used
    return seconds


def stat_cpu_s(path):
    """(its own seconds, those of its ended children, its parent)"""
    fields = path.read_text().rsplit(")", 1)[1].split()
    return (
        (int(fields[11]) + int(fields[12])) * TICK_S,
        (int(fields[13]) + int(fields[14])) * TICK_S,
        int(fields[1]),
    )


def family_cpu_s(pid):
    """Seconds of a process and of all that it started and that is still its descendant."""
    used, parent = {}, {}
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            own, ended, above = stat_cpu_s(folder / "stat")
        except (FileNotFoundError, ProcessLookupError):
            continue
        used[int(folder.name)] = own + ended
        parent[int(folder.name)] = above

    def belongs(one):
        while one in parent:
            if one == pid:
                return True
            one = parent[one]
        return False

    return sum(seconds for one, seconds in used.items() if belongs(one))


def processors():
    """(busy seconds, idle seconds) of all together under None, and of each by its number."""
    counted = {}
    for line in (PROC / "stat").read_text().splitlines():
        name, *numbers = line.split()
        if not name.startswith("cpu"):
            continue
        ticks = [int(n) for n in numbers[:8]]
        idle = ticks[3] + ticks[4]
        number = int(name[3:]) if name != "cpu" else None
        counted[number] = ((sum(ticks) - idle) * TICK_S, idle * TICK_S)
    return counted


def written_bytes(pid):
    """Bytes that it made the kernel send to a disk; None where that is not counted."""
    try:
        rows = (PROC / str(pid) / "io").read_text().splitlines()
    except (FileNotFoundError, PermissionError):
        return None
    return next(int(row.split()[1]) for row in rows if row.startswith("write_bytes:"))


def rss_bytes(pid):
    """Resident memory."""
    rows = (PROC / str(pid) / "status").read_text().splitlines()
    return next(int(row.split()[1]) * 1024 for row in rows if row.startswith("VmRSS:"))


def about():
    """What machine this is, and how busy."""
    models = [
        row.split(":", 1)[1].strip()
        for row in (PROC / "cpuinfo").read_text().splitlines()
        if row.startswith("model name")
    ]
    memory = (PROC / "meminfo").read_text().split()[1]
    return {
        "processor": models[0] if models else os.uname().machine,
        "processors": os.cpu_count(),
        "memory_mb": int(memory) // 1024,
        "kernel": os.uname().release,
        "load": [round(load, 2) for load in os.getloadavg()],
    }
