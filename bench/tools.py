"""The command lines of every tool, and the works.

In a command line {port} and {path} are the listener's address, {length} that of a datagram or a
request, {bytes} what a direction carries, {out} and {in} the probe's ways (limit.c), {here}
this folder. One with a bar in it is a pipeline, for bash. A tool that has no command line for a part
does not take part. Options are those without which a tool hangs, loses data or takes another
length; none that makes it faster, but for "socat -b1048576".
"""
import sys
from typing import NamedTuple

OURS, PROBE, TUNED = "sockcat", "limit", "socat -b1048576"

SOCAT = {
    "tcp receive": "-u TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr -",
    "tcp send": "-u - TCP:127.0.0.1:{port}",
    "unix receive": "-u UNIX-LISTEN:{path} -",
    "unix send": "-u - UNIX-CONNECT:{path}",
    # Half a second after the first end is not enough for the other direction.
    "tcp both listen": "-t 60 TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr -",
    "tcp both connect": "-t 60 - TCP:127.0.0.1:{port}",
    "turns": "- TCP:127.0.0.1:{port}",
}

# Only sockcat frames messages in a stream: other tools need a converter.
TRANSLATORS = {"python3": f"'{sys.executable}' '{{here}}/translate.py'",
               "perl": "perl '{here}/translate.pl'"}
TRANSPORTS = {"socat": (SOCAT["tcp send"], SOCAT["tcp receive"]),
            "ncat": ("--send-only 127.0.0.1 {port}", "--recv-only -l 127.0.0.1 {port}")}


def translated(translator, transport):
    words = TRANSLATORS[translator]
    send, receive = TRANSPORTS[transport]
    return {"frames send": f"{words} frame | {transport} {send}",
            "frames receive": f"{transport} {receive} | {words} unframe"}


TOOLS = {
    OURS: {
        "tcp receive": "{sockcat} -ld 127.0.0.1 {port}",
        "tcp send": "{sockcat} 127.0.0.1 {port}",
        "unix receive": "{sockcat} -ldU {path}",
        "unix send": "{sockcat} -U {path}",
        "tcp both listen": "{sockcat} -l 127.0.0.1 {port}",
        "tcp both connect": "{sockcat} 127.0.0.1 {port}",
        "udp receive": "{sockcat} -lud 127.0.0.1 {port}",
        "udp send": "{sockcat} -u --send-only --stdin-frame fixed:{length} 127.0.0.1 {port}",
        "frames receive": "{sockcat} -ld --frame u32be 127.0.0.1 {port}",
        "frames send": "{sockcat} --frame u32be 127.0.0.1 {port}",
        "ring receive": "{sockcat} -ld --no-splice 127.0.0.1 {port}",
        "ring send": "{sockcat} --no-splice 127.0.0.1 {port}",
        "turns": "{sockcat} 127.0.0.1 {port}",
        "start": "{sockcat} -V",
    },
    "nc.openbsd": {
        "tcp receive": "nc.openbsd -d -l 127.0.0.1 {port}",
        "tcp send": "nc.openbsd -N 127.0.0.1 {port}",
        "unix receive": "nc.openbsd -d -l -U {path}",
        "unix send": "nc.openbsd -N -U {path}",
        # With -N on both sides the listener often drops unsent data.
        "tcp both listen": "nc.openbsd -l 127.0.0.1 {port}",
        "tcp both connect": "nc.openbsd -N 127.0.0.1 {port}",
        "udp receive": "nc.openbsd -d -u -l 127.0.0.1 {port}",
        "udp send": "nc.openbsd -u -q 0 127.0.0.1 {port}",
        "turns": "nc.openbsd -N 127.0.0.1 {port}",
        "start": "nc.openbsd -h",
    },
    "nc.traditional": {
        "tcp receive": "nc.traditional -l -s 127.0.0.1 -p {port}",
        "tcp send": "nc.traditional -q 0 127.0.0.1 {port}",
        "tcp both listen": "nc.traditional -q 60 -l -s 127.0.0.1 -p {port}",
        "tcp both connect": "nc.traditional -q 60 127.0.0.1 {port}",
        "udp receive": "nc.traditional -u -l -s 127.0.0.1 -p {port}",
        "udp send": "nc.traditional -u -q 0 127.0.0.1 {port}",
        "turns": "nc.traditional -q 0 127.0.0.1 {port}",
        "start": "nc.traditional -h",
    },
    "ncat": {
        "tcp receive": "ncat --recv-only -l 127.0.0.1 {port}",
        "tcp send": "ncat --send-only 127.0.0.1 {port}",
        "unix receive": "ncat --recv-only -l -U {path}",
        "unix send": "ncat --send-only -U {path}",
        "tcp both listen": "ncat -l 127.0.0.1 {port}",
        "tcp both connect": "ncat 127.0.0.1 {port}",
        "udp receive": "ncat --recv-only -u -l 127.0.0.1 {port}",
        "udp send": "ncat --send-only -u 127.0.0.1 {port}",
        "turns": "ncat 127.0.0.1 {port}",
        "start": "ncat -h",
    },
    "socat": {
        **{part: f"socat {words}" for part, words in SOCAT.items()},
        "udp receive": "socat -u UDP-RECV:{port},bind=127.0.0.1 -",
        "udp send": "socat -u -b{length} - UDP:127.0.0.1:{port}",
        "start": "socat -V",
    },
    TUNED: {part: f"socat -b1048576 {words}" for part, words in SOCAT.items()},
    "python3 + socat": translated("python3", "socat"),
    "perl + socat": translated("perl", "socat"),
    "perl + ncat": translated("perl", "ncat"),
    PROBE: {
        "tcp receive": "{limit} listen {port} none {in} {bytes}",
        "tcp send": "{limit} connect {port} {out} none {bytes}",
        "unix receive": "{limit} listen {path} none {in} {bytes}",
        "unix send": "{limit} connect {path} {out} none {bytes}",
        "tcp both listen": "{limit} listen {port} {out} {in} {bytes}",
        "tcp both connect": "{limit} connect {port} {out} {in} {bytes}",
        "udp receive": "{limit} udp-receive {port}",
        "udp send": "{limit} udp-send {port} {length}",
        "frames receive": "{limit} unframe {port} {bytes}",
        "frames send": "{limit} frame {port} {bytes}",
        "turns": "{limit} turn {port} {length}",
        "start": "{limit} start",
    },
}
# These send the data of each read as a datagram: their input has to be split.
FED = ("nc.openbsd", "nc.traditional", "ncat")
# The version of each tool: command, and the text before the version.
VERSIONS = {
    "nc.openbsd": ("nc.openbsd -h", "patchlevel "),
    "nc.traditional": ("nc.traditional -h", "[v"),
    "ncat": ("ncat --version", "Version "),
    "socat": ("socat -V", "socat version "),
    "python3": (f"{sys.executable} -V", "Python "),
    "perl": ("perl -v", "(v"),
}


class Work(NamedTuple):
    """One row: kind is a key of has(); the other fields are the kind's."""
    title: str
    kind: str
    family: str = ""
    source: str = ""
    sink: str = ""
    length: int = 0
    count: int = 0  # of messages, at most


WORKS = {
    "file-tcp-null": Work("file → TCP → /dev/null", "stream", "tcp", "file", "null"),
    "file-tcp-file": Work("file → TCP → file", "stream", "tcp", "file", "file"),
    "pipe-tcp-pipe": Work("pipe → TCP → pipe", "stream", "tcp", "pipe", "pipe"),
    "file-unix-null": Work("file → Unix → /dev/null", "stream", "unix", "file", "null"),
    "file-unix-file": Work("file → Unix → file", "stream", "unix", "file", "file"),
    "pipe-unix-pipe": Work("pipe → Unix → pipe", "stream", "unix", "pipe", "pipe"),
    "both-tcp": Work("files ↔ TCP, both ways", "both", "tcp", "file", "file"),
    "udp-100": Work("datagrams of 100 bytes", "udp", length=100),
    "udp-1400": Work("datagrams of 1,400 bytes", "udp", length=1400),
    "udp-8192": Work("datagrams of 8,192 bytes", "udp", length=8192),
    "frames-16": Work("lines of 16 bytes ↔ u32be", "frames", length=16, count=2_000_000),
    "frames-16-half": Work("half as many of 16 bytes", "frames", length=16, count=1_000_000),
    "frames-100": Work("lines of 100 bytes ↔ u32be", "frames", length=100, count=2_000_000),
    "frames-1000": Work("lines of 1,000 bytes ↔ u32be", "frames", length=1000, count=500_000),
    "ring-1000": Work("the same of 1,000 bytes, unframed", "ring", length=1000, count=500_000),
    "frames-65536": Work("lines of 65,536 bytes ↔ u32be", "frames", length=65536, count=8_000),
    "latency": Work("request and reply, 64 bytes", "turns", length=64),
    "start": Work("start to exit", "start"),
}


def probe_ways(work):
    """The probe's ways {out, in} that are tried for a work; the fastest is the limit."""
    into = "direct" if work.sink == "pipe" else "splice"
    if work.source == "pipe":
        return [("direct", into)]
    if work.source == "file":
        return [("sendfile", into), ("splice", into)]
    return [("", "")]


def has(tool, work):
    """Whether a tool supports a work."""
    part = {"stream": f"{work.family} send", "both": "tcp both listen", "udp": "udp send",
            "frames": "frames send", "ring": "ring send", "turns": "turns", "start": "start"}[work.kind]
    return part in TOOLS[tool]


def programs(tool):
    """The commands that it needs."""
    return [part.split()[0] for part in tool.split(" + ")]


def command(tool, part, **values):
    """Split a command into words; a value may contain blanks."""
    if " | " in TOOLS[tool][part]:
        return ["bash", "-o", "pipefail", "-c", TOOLS[tool][part].format(**values)]
    return [word.format(**values) for word in TOOLS[tool][part].split()]
