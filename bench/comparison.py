"""Options and reports of the comparisons of TLS, transfers and proxy servers."""
import argparse
import os
import platform

# Options that a complete run may have.
FREE = ("sockcat", "build", "rounds")


def parse(parser, **quick):
    """The options; with --quick these values. `complete`: a run with all that is measured by default."""
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    for place in ("sockcat", "build"):
        parser.add_argument("--" + place, required=True, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    chosen.complete = all(value == parser.get_default(name) for name, value in vars(chosen).items() if name not in FREE)
    if chosen.quick:
        vars(chosen).update(quick, rounds=1)
    return chosen


def machine():
    """The system: the version of the kernel without the name of its build, and the processors."""
    return f"Linux {platform.release().split('-')[0]}, {os.cpu_count()} CPUs"


def publish(chosen, name, text):
    """Prints the report; only that of a complete run replaces the published one."""
    where = "bench/results" if chosen.complete else os.path.join(chosen.build, "results")
    os.makedirs(where, exist_ok=True)
    with open(os.path.join(where, name), "w", encoding="utf-8") as file:
        file.write(text)
    print(text)
