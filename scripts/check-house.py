#!/usr/bin/env python3
"""Holds the rules of the house that can be counted: includes go down the floors only, names begin
with their file's, files and functions stay short, and no banned function is called.

    scripts/check-house.py [FOLDER]     default: src; status 1 and one line per break of a rule
"""
import pathlib
import re
import sys

FLOORS = {"base": 0, "sys": 1, "frame": 1, "net": 2, "stream": 3, "flow": 4, "mode": 5, "cli": 6}
FILE_LINES, FUNCTION_LINES = 450, 70
BANNED = ("strcpy strcat sprintf vsprintf strtok atoi atol atoll system popen mktemp tmpnam gets alloca signal "
          "strncpy").split()
# One header, several files: the prefix is the folder's.
SHARED_PREFIX = {"sys": "sys"}
# endpoint.h also has the socket address; text and terminal stand for themselves.
EXTRA_PREFIX = {"endpoint": ["address"], "stream": ["stream"]}


def floor(path):
    return FLOORS.get(path.parent.name, 6)


def functions(text):
    """Yields name, first line and length of every function definition (name at column 0)."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines):
        if line == "{" and number > 0:
            start = number
        elif line == "}" and start is not None:
            head = start - 1
            while head > 0 and not re.match(r"[a-z_0-9]+\(", lines[head]):
                head -= 1
            yield lines[head].split("(")[0], head + 1, number - start
            start = None


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    broken = []
    files = sorted(root.rglob("*.[ch]"))
    for path in files:
        text = path.read_text(encoding="utf-8")
        name = path.stem
        for target in re.findall(r'^#include "([^"]+)"', text, re.M):
            if floor(root / target) > floor(path):
                broken.append(f"{path}: includes {target}, which is on a higher floor")
            if not (root / target).exists():
                broken.append(f"{path}: includes {target}, which is not there")
        if text.count("\n") > FILE_LINES:
            broken.append(f"{path}: {text.count(chr(10))} lines: which noun hides in it?")
        prefixes = [SHARED_PREFIX.get(path.parent.name, name)] + EXTRA_PREFIX.get(name, [])
        for function, line, length in functions(text):
            if length > FUNCTION_LINES:
                broken.append(f"{path}:{line}: {function} has {length} lines")
            if function != "main" and not any(function.startswith(p + "_") for p in prefixes):
                broken.append(f"{path}:{line}: {function} does not begin with {prefixes[0]}_")
        code = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        code = re.sub(r'"(\\.|[^"\\])*"', '""', code)
        for call in BANNED:
            if re.search(rf"(?<![\w.>]){call}\s*\(", code):
                broken.append(f"{path}: calls {call}")
        if path.parent.name != "sys" and re.search(r"__linux__|<linux/", code):
            broken.append(f"{path}: asks for the system outside of sys/")
        if path.suffix == ".c" and (path.with_suffix(".h")).exists():
            first = re.search(r'^#include ["<]([^">]+)', text, re.M)
            if first and pathlib.Path(first.group(1)).stem != name:
                broken.append(f"{path}: its own header is not the first")
    print("\n".join(broken) or f"{len(files)} files keep the rules of the house")
    return 1 if broken or not files else 0


if __name__ == "__main__":
    sys.exit(main())
