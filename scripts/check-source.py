#!/usr/bin/env python3
"""Checks the rules of the source that can be counted: includes go down the layers only, headers have
no circles, names begin with their file's, files and functions stay short, no banned function is called,
and texts use the terms of the field.

    scripts/check-source.py [FOLDER]    default: src; status 1 and one line per violation. Texts are also
                                        checked in the tests and documents next to the folder.
"""
import pathlib
import re
import sys

# The most of each that is allowed. Lower a limit when a change permits it.
LIMITS = {"lines of a file": 400, "lines of a function": 70, "fields of struct stream": 14,
          "flags of struct service": 0, "calls that wait": 1}
# Words and phrases that are no terms of the field; a '_' in a name separates words.
PRIVATE = re.compile(r"""\b(?: guests? | crowd(?:ed|s)? | roster | post\s+office | lonely | podium | newcomers?
    | houses? | doors? | box(?:es)? | shortage | exercises? | spoilt | deaf | anew | speakers? | carriers? | hurr(?:y|ies)
    | whoever | somebody | who\s+comes? | what\s+comes? | (?:is|are|was|were|be|been)\s+told
    | so\s+(?:long|many|much|often) )\b""", re.I | re.X)
# In the tests, too; those of units have the names of the source.
PRIVATE_IN_TESTS = re.compile(r"\b(?:nobody|everybody|anybody|who\s+(?:may|is|are|has))\b", re.I)
# A sentence that runs on over several comments.
ELLIPSIS = re.compile(r"(?:/\*|\#)\s*…|…\s*(?:\*/|$)")
# Where texts are checked, next to the folder of the source, and what is not checked yet.
TEXTS = ("tests", "scripts", "bench", "packaging", "man", "completions", "README.md", "CONTRIBUTING.md")
TEXT_FILES = re.compile(r"\.(c|h|def|bats|py|bash|sh|md|in|cmake|txt|service|socket|pl)$")
NOT_TEXTS = re.compile(r"seeds/|results/|check-source\.py|source\.bats")
UNCLEAN = ()

LAYERS = {"base": 0, "sys": 1, "frame": 1, "net": 2, "plugin": 2, "stream": 3, "filter": 4, "program": 4, "broadcast": 4,
          "archive": 2, "transfer": 4, "flow": 5, "engine": 6, "mode": 7, "cli": 8}
BANNED = ("strcpy strcat sprintf vsprintf strtok atoi atol atoll system popen mktemp tmpnam gets alloca signal "
          "strncpy").split()
# One header, several files: the prefix is the folder's.
SHARED_PREFIX = {"sys": "sys"}
# endpoint.h also has the socket address; text and terminal stand for themselves.
EXTRA_PREFIX = {"endpoint": ["address"], "stream": ["stream"]}


def layer(path):
    return LAYERS.get(path.parent.name, 8)


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


def circle(uses):
    """Headers that include each other in a circle, in order; none: an empty list."""
    done, path = set(), []

    def visit(header):
        if header in path:
            return path[path.index(header):] + [header]
        if header in done:
            return []
        path.append(header)
        found = next(filter(None, map(visit, sorted(uses.get(header, ())))), [])
        path.pop()
        done.add(header)
        return found

    return next(filter(None, map(visit, sorted(uses))), [])


def code_of(text):
    """The text without comments and the contents of strings."""
    return re.sub(r'"(\\.|[^"\\])*"', '""', re.sub(r"/\*.*?\*/", "", text, flags=re.S))


def waits(path, code):
    """The number of calls that can wait. The poller's two back ends, poll and sys_watched, count as one
    call; sys_watched itself and pollset_look, whose time limit is 0, as none."""
    name = f"{path.parent.name}/{path.name}"
    verbs = (r"p?poll|p?select|epoll_p?wait2?|u?sleep|(?:clock_)?nanosleep|sigsuspend|sigtimedwait|sigwait(?:info)?|pause" +
             ("" if path.parent.name == "sys" else "|sys_watched"))
    calls = len(re.findall(rf"(?<![\w>.])(?:{verbs})\(", code))
    return {"engine/poller.c": min(calls, 1), "base/pollset.c": 0, "sys/linux_watcher.c": 0}.get(name, calls)


def private_words(root):
    """Yields a violation for each line of the source, tests and documents with a private word."""
    places = [root] + [root.parent / name for name in TEXTS]
    files = [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*")))]
    for path in files:
        name = str(path.relative_to(root.parent))
        if not TEXT_FILES.search(name) or NOT_TEXTS.search(name) or name.startswith(UNCLEAN):
            continue
        tests = name.startswith("tests/") and not name.startswith("tests/unit/")
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            words = line.replace("_", " ")
            if found := (PRIVATE.search(words) or tests and PRIVATE_IN_TESTS.search(words)
                         or ELLIPSIS.search(line)):
                yield f"{path}:{number}: '{found[0].strip()}' is no term of the field: {line.strip()[:60]}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    broken, uses = [], {}
    counts = {"calls that wait": 0}
    files = sorted(root.rglob("*.[ch]"))
    for path in files:
        text = path.read_text(encoding="utf-8")
        name = path.stem
        for target in re.findall(r'^#include "([^"]+)"', text, re.M):
            if path.suffix == ".h":
                uses.setdefault(str(path.relative_to(root)), set()).add(target)
            if layer(root / target) > layer(path):
                broken.append(f"{path}: includes {target}, which is in a higher layer")
            if not (root / target).exists():
                broken.append(f"{path}: includes {target}, which does not exist")
        most = LIMITS["lines of a file"]
        if text.count("\n") > most:
            broken.append(f"{path}: {text.count(chr(10))} lines, more than {most}")
        prefixes = [SHARED_PREFIX.get(path.parent.name, name)] + EXTRA_PREFIX.get(name, [])
        for function, line, length in functions(text):
            if length > LIMITS["lines of a function"]:
                broken.append(f"{path}:{line}: {function} has {length} lines")
            if function != "main" and not any(function.startswith(p + "_") for p in prefixes):
                broken.append(f"{path}:{line}: {function} does not begin with {prefixes[0]}_")
        code = code_of(text)
        for call in BANNED:
            if re.search(rf"(?<![\w.>]){call}\s*\(", code):
                broken.append(f"{path}: calls {call}")
        if path.parent.name != "sys" and re.search(r"__linux__|<linux/", code):
            broken.append(f"{path}: tests for the system outside of sys/")
        if path.suffix == ".c" and (path.with_suffix(".h")).exists():
            first = re.search(r'^#include ["<]([^">]+)', text, re.M)
            if first and pathlib.Path(first.group(1)).stem != name:
                broken.append(f"{path}: its own header is not the first")
        counts["calls that wait"] += waits(path, code)
        for struct, measure, pattern in (("stream", "fields of struct stream", r"\w+(?:\[\w*\])?(?=\s*[,;])"),
                                         ("service", "flags of struct service", r"(?<=\bbool )\w+")):
            if body := re.search(rf"^struct {struct} \{{(.*?)^\}};", code, re.M | re.S):
                counts[measure] = len(re.findall(pattern, re.sub(r"\([^()]*\)", "", body[1])))
    broken += [f"{root}: {count} {name}, more than {LIMITS[name]}" for name, count in counts.items()
               if count > LIMITS[name]]
    broken += private_words(root)
    if found := circle(uses):
        broken.append("includes in a circle: " + " > ".join(found))
    print("\n".join(broken) or f"{len(files)} files checked; " + ", ".join(f"{n} {name}" for name, n in counts.items()))
    return 1 if broken or not files else 0


if __name__ == "__main__":
    sys.exit(main())
