"""The measurements of throughput.sh: every tool in turn, round after round, medians and ratios.

A row is a shell pipeline for the receiving and one for the sending side. The time runs from the
start of the sender until both have ended, and the receiver's byte count is checked: a fast wrong
answer counts as a failure.
"""
import os
import platform
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOOLS = {
    # name: (listener, client); {p} is the port
    "sockcat": ("{s} -l 127.0.0.1 {p}", "{s} 127.0.0.1 {p}"),
    "nc.openbsd": ("nc.openbsd -N -l 127.0.0.1 {p}", "nc.openbsd -N 127.0.0.1 {p}"),
    "ncat": ("ncat -l 127.0.0.1 {p}", "ncat 127.0.0.1 {p}"),
    "socat": ("socat -u TCP-LISTEN:{p},bind=127.0.0.1,reuseaddr -", "socat -u - TCP:127.0.0.1:{p}"),
    "socat -b1048576": ("socat -b1048576 -u TCP-LISTEN:{p},bind=127.0.0.1,reuseaddr -",
                        "socat -b1048576 -u - TCP:127.0.0.1:{p}"),
}
WORKS = {
    # name: (sending side, receiving side, what is checked)
    "file → TCP → /dev/null": ("{c} < {file}", "{l} > /dev/null < /dev/null", None),
    "pipe → TCP → pipe": ("cat {file} | {c}", "{l} < /dev/null | cat | wc -c", "count"),
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_listener(port):
    wanted = f":{port:04X}"
    for _ in range(2000):
        with open("/proc/net/tcp", encoding="ascii") as table:
            for line in table:
                fields = line.split()
                if fields[1].endswith(wanted) and fields[3] == "0A":
                    return
        time.sleep(0.002)
    sys.exit(f"nobody listens on port {port}")


def transfer(tool, work, sockcat, file, size):
    port = free_port()
    listener, client = (side.format(s=sockcat, p=port) for side in TOOLS[tool])
    send, receive, check = WORKS[work]
    receiver = subprocess.Popen(receive.format(l=listener), shell=True, stdout=subprocess.PIPE)
    wait_for_listener(port)
    began = time.monotonic()
    sent = subprocess.run(send.format(c=client, file=file), shell=True,
                          stdout=subprocess.DEVNULL, check=False)
    out, _ = receiver.communicate()
    took = time.monotonic() - began
    if sent.returncode != 0 or receiver.returncode != 0:
        sys.exit(f"{tool}, {work}: status {sent.returncode} and {receiver.returncode}")
    if check == "count" and int(out) != size:
        sys.exit(f"{tool}, {work}: {int(out)} of {size} bytes arrived")
    return size / took / 1e9


def start_to_exit(command, times):
    began = time.monotonic()
    for _ in range(times):
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       check=False, close_fds=False)
    return (time.monotonic() - began) / times * 1000


def peak_memory(sockcat, file):
    """Of a sender whose peer does not read for a while, in MiB."""
    port = free_port()
    receiver = os.posix_spawn("/bin/sh", ["sh", "-c", f"exec {sockcat} -l 127.0.0.1 {port} </dev/null | "
                                          "{ sleep 1; cat >/dev/null; }"], os.environ)
    wait_for_listener(port)
    sender = os.fork()
    if sender == 0:
        os.dup2(os.open(file, os.O_RDONLY), 0)
        os.execv(sockcat, ["sockcat", "127.0.0.1", str(port)])
    peak = 0
    while os.waitpid(sender, os.WNOHANG) == (0, 0):
        try:
            # Not ru_maxrss, which remembers the process that sockcat was started from.
            with open(f"/proc/{sender}/status", encoding="ascii") as status:
                if "sockcat" in status.readline():
                    peak = max([peak] + [int(line.split()[1]) for line in status
                                         if line.startswith("VmHWM")])
        except OSError:
            pass
        time.sleep(0.01)
    os.waitpid(receiver, 0)
    return peak / 1024


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def main():
    sockcat, rounds, mebibytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        file = os.path.join(folder, "file")
        with open(file, "wb") as out:
            for _ in range(mebibytes):
                out.write(os.urandom(1 << 20))
        size = mebibytes << 20
        rates = {work: {tool: [] for tool in TOOLS} for work in WORKS}
        for _ in range(rounds):
            for work in WORKS:
                for tool in TOOLS:
                    rates[work][tool].append(transfer(tool, work, sockcat, file, size))
        starts = {name: [] for name in ("sockcat -V", "nc.openbsd -h")}
        for _ in range(rounds):
            for name in starts:
                starts[name].append(start_to_exit(name.replace("sockcat", sockcat).split(), 200))
        peak = peak_memory(sockcat, file)

    with open("/proc/cpuinfo", encoding="ascii") as info:
        cpu = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "?")
    print(f"Linux {platform.release()}, {os.cpu_count()} cores, {cpu}; {mebibytes} MiB, "
          f"{rounds} rounds, GB/s as median (least–most)\n")
    print("| work | " + " | ".join(TOOLS) + " |")
    print("|---|" + "---|" * len(TOOLS))
    for work, row in rates.items():
        print(f"| {work} | " + " | ".join(spread(row[tool]) for tool in TOOLS) + " |")
        ours = statistics.median(row["sockcat"])
        ratios = (f"{ours / statistics.median(row[tool]):.2f} ×" for tool in TOOLS)
        print("| … sockcat is | " + " | ".join(ratios) + " |")
    ratio = statistics.median(starts["sockcat -V"]) / statistics.median(starts["nc.openbsd -h"])
    print("\nStart to exit, ms: " + ", ".join(f"`{name}` {spread(values)}" for name, values in starts.items())
          + f"; ratio {ratio:.2f}")
    print(f"Peak resident memory of a sender whose peer stops reading for a second: {peak:.1f} MiB")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
