#!/usr/bin/env python3
"""Writes the man page and the shells' completions from the tables of options, statuses and names.

    scripts/generate.py            writes man/sockcat.1 and completions/{sockcat.bash,_sockcat,sockcat.fish}
    scripts/generate.py --check    writes nothing; status 1 and one line for each file that is stale

It reads text only, never the built program, so that a cross build can use what it writes. In a template
a comment that is just @NAME@ is replaced by what is called so. Blocks of man/options.in and
completions/live.in begin with "== NAME".
"""
import ast
import dataclasses
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OPTIONS, STATUSES, TOS = "src/cli/options.def", "src/base/status.def", "src/net/tos.def"
PAGE, PROSE, LIVE = "man/sockcat.1.in", "man/options.in", "completions/live.in"

TYPES = "FLAG TIME SIZE COUNT NUMBER ENUM TOPIC PORT HOST INTERFACE USER FILE PROGRAM STRING".split()
REPEATS = "ANY COUNTS ONCE LIST".split()
# What the completions offer for a value; with "words", those of the row, and for the rest nothing.
KINDS = {"ENUM": "words", "TOPIC": "topic", "PORT": "services", "HOST": "address",
         "INTERFACE": "interfaces", "USER": "users", "FILE": "file", "PROGRAM": "command"}
KINDS_BY_ID = {"tos": "words", "congestion": "congestion"}


class Bad(Exception):
    """The input is wrong; the message says where and why."""


@dataclasses.dataclass
class Option:
    """A row of the table; the fields are the columns."""
    id: str
    name: str
    letter: str
    type: str
    argument: str
    least: str
    most: str
    group: str
    repeat: str
    excludes: list
    needs: list
    feature: str
    help: str

    def spellings(self):
        """As a user writes it: the letter, then the name."""
        return (["-" + self.letter] if self.letter else []) + (["--" + self.name] if self.name else [])

    def kind(self):
        """What a completion offers for the value; "" if there is none."""
        if self.type == "FLAG":
            return ""
        return KINDS_BY_ID.get(self.id) or KINDS.get(self.type, "nothing")


@dataclasses.dataclass
class Tables:
    """All that is read, but the templates."""
    topics: list    # of (id, topic, title)
    options: dict   # id: Option
    statuses: list  # of (number, text)
    tos: list       # of names
    prose: dict     # id of an option: mdoc
    live: dict      # name: shell, the same for all shells

    def barred(self, option):
        """The options that cannot follow this one: itself, and what either side excludes."""
        return [other for other in self.options.values()
                if other.id in option.excludes or option.id in other.excludes
                or (other is option and option.repeat in ("ANY", "ONCE"))]

    def barred_spellings(self, option):
        """The same as words of a command line."""
        return [word for other in self.barred(option) for word in other.spellings()]

    def words(self, option):
        """The finite set of values, if there is one."""
        if option.id == "tos":
            return self.tos
        if option.type == "TOPIC":
            return [topic for _, topic, _ in self.topics] + ["exit"]
        return option.argument.split("|") if option.type == "ENUM" else []


# ---- reading ----

def read(path):
    """The text of a file of the tree."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Bad(f"{path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None


TOKEN = re.compile(r"""(?P<skip>/\*.*?\*/ | //[^\n]* | ^[ \t]*\#(?:\\\n|[^\n])* | \s+)
    | (?P<string>"(?:\\.|[^"\\\n])*") | (?P<char>'(?:\\.|[^'\\\n])') | (?P<word>\w+) | (?P<mark>[-+*/(),])""",
                   re.X | re.S | re.M)


def tokens(path, text):
    """Yields (line, kind, text) of a .def file without comments and preprocessor lines."""
    at, line = 0, 1
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise Bad(f"{path}:{line}: what is '{text[at:].splitlines()[0][:20]}' ?")
        if match.lastgroup != "skip":
            yield line, match.lastgroup, match[0]
        at, line = match.end(), line + match[0].count("\n")


def rows(path, columns):
    """Yields place, macro and arguments of each row; columns gives the number of them by macro."""
    stream = tokens(path, read(path))
    for line, kind, macro in stream:
        if kind != "word" or macro not in columns:
            raise Bad(f"{path}:{line}: '{macro}' begins no row")
        depth, text, arguments = 0, "", [""]
        for _, kind, text in stream:
            if kind == "mark":
                depth += {"(": 1, ")": -1}.get(text, 0)
            if depth == 0 or text in columns:
                break
            if kind in ("string", "char"):
                arguments[-1] += ast.literal_eval(text)  # what C and Python write alike
            elif depth == 1 and text == ",":
                arguments.append("")
            elif depth > 1 or text != "(":
                arguments[-1] += text
        if depth != 0 or text != ")":
            raise Bad(f"{path}:{line}: {macro} has no end")
        if len(arguments) != columns[macro]:
            raise Bad(f"{path}:{line}: {macro} has {len(arguments)} columns instead of {columns[macro]}")
        yield f"{path}:{line}", macro, arguments


def read_options():
    """The groups and the options of the table, checked."""
    topics, options, taken = [], {}, set()
    for where, macro, row in rows(OPTIONS, {"GROUP": 3, "OPTION": len(dataclasses.fields(Option))}):
        if macro == "GROUP":
            topics.append(tuple(row))
            continue
        option = Option(*row)
        option.letter = option.letter.replace("0", "")
        option.excludes, option.needs = option.excludes.split(), option.needs.split()
        words = option.spellings()
        for wrong, problem in (
                (option.id in options, "there are two rows"),
                (not words, "neither a name nor a letter"),
                (not re.fullmatch(r"(-[A-Za-z1-9])? ?(--[a-z0-9][a-z0-9-]*)?", " ".join(words)), "bad name or letter"),
                (taken.intersection(words), "name or letter is taken"),
                (option.type not in TYPES, f"there is no type {option.type}"),
                (option.repeat not in REPEATS, f"there is no repeat {option.repeat}"),
                (option.group not in [topic[0] for topic in topics], f"there is no group {option.group}"),
                ((option.argument == "") != (option.type == "FLAG"), "all but a FLAG have an argument")):
            if wrong:
                raise Bad(f"{where}: {option.id}: {problem}")
        taken.update(words)
        options[option.id] = option
    for option in options.values():
        for other in option.excludes + option.needs:
            if other not in options:
                raise Bad(f"{OPTIONS}: {option.id}: there is no option {other}")
    return topics, options


def read_blocks(path):
    """Name and lines of each block of a file of blocks."""
    blocks, block = {}, None
    for number, line in enumerate(read(path).splitlines(), 1):
        if line.startswith("== "):
            name = line[3:].strip()
            if name in blocks:
                raise Bad(f"{path}:{number}: a second block {name}")
            block = blocks[name] = []
        elif block is not None:
            block.append(line.rstrip())
        elif line.strip() and not line.startswith(("#", '.\\"')):
            raise Bad(f"{path}:{number}: text before the first block")
    for name, lines in blocks.items():
        while lines and not lines[-1]:
            lines.pop()
        if not lines:
            raise Bad(f"{path}: block {name} is empty")
    return blocks


def read_tables():
    """Everything, checked against each other."""
    topics, options = read_options()
    statuses = [(row[1], row[2]) for _, _, row in rows(STATUSES, {"STATUS": 3})]
    tos = [row[0] for _, _, row in rows(TOS, {"TOS": 2})]
    prose = read_blocks(PROSE)
    for missing in sorted(options.keys() - prose.keys()):
        raise Bad(f"{PROSE}: option {missing} has no prose")
    for extra in sorted(prose.keys() - options.keys()):
        raise Bad(f"{PROSE}: prose without an option: {extra}")
    return Tables(topics, options, statuses, tos, prose, read_blocks(LIVE))


# ---- the man page ----

def mdoc_item(tables, option):
    """The .It line of an option."""
    words = " , ".join("Fl " + word[1:] for word in option.spellings())
    if option.type == "TOPIC":
        return f".It {words} Ns Op = Ns Ar {option.argument.lower()}"
    if option.type == "ENUM":
        return f".It {words} Cm {' | '.join(tables.words(option))}"
    return f".It {words}" + (f" Ar {option.argument.lower()}" if option.argument else "")


def mdoc_sentence(begin, options):
    """A sentence that ends in a list of options."""
    flags = [".Fl " + option.spellings()[-1][1:] for option in options]
    if len(flags) > 1:
        flags = [flag + " ," for flag in flags[:-2]] + [flags[-2], "or", flags[-1]]
    return [begin, *flags[:-1], flags[-1] + " ."] if flags else []


def mdoc_options(tables):
    """The options by group."""
    lines = []
    for group, _, title in tables.topics:
        lines += [f".Ss {title}", ".Bl -tag -width Ds"]
        for option in (o for o in tables.options.values() if o.group == group):
            others = [other for other in tables.barred(option) if other is not option]
            lines += [mdoc_item(tables, option), *tables.prose[option.id]]
            lines += mdoc_sentence("Only with", [tables.options[other] for other in option.needs])
            lines += mdoc_sentence("Not together with", others)
        lines.append(".El")
    return lines


def mdoc_statuses(tables):
    """The exit statuses."""
    lines = [".Bl -tag -width 3n -offset indent -compact"]
    for number, text in tables.statuses:
        lines += [f".It {number}", text.replace("\\", "\\e")]
    return lines + [".El"]


# ---- the completions ----

def quote(text, apostrophe="'\\''"):
    """A word for bash and zsh; fish has its own way to write an apostrophe."""
    return "'" + text.replace("'", apostrophe) + "'"


def bash_options(tables):
    """The branches of a case: what is to be known about each option."""
    lines = []
    for option in tables.options.values():
        fields = [f"option={option.id}"]
        if option.kind():
            fields.append(f"kind={option.kind()}")
        if tables.words(option):
            fields.append(f"values={quote(' '.join(tables.words(option)))}")
        if tables.barred(option):
            fields.append(f"bars={quote(' '.join(tables.barred_spellings(option)))}")
        lines.append(f"{' | '.join(option.spellings())}) {' '.join(fields)} ;;")
    return lines


def zsh_options(tables):
    """Specifications for _arguments."""
    lines = []
    for option in tables.options.values():
        kind, words = option.kind(), " ".join(tables.words(option))
        message = re.sub(r"([\\:])", r"\\\1", "value" if option.type == "ENUM" else option.argument)
        action = {"words": f"({words})", "topic": f"({words})", "nothing": " ",
                  "file": "_files", "command": "_command_names -e"}.get(kind, f"->{kind}")
        before = "*" if option.repeat in ("LIST", "COUNTS") else ""
        barred = " ".join(tables.barred_spellings(option))
        before = (f"({barred})" if barred else "") + before
        described = "[" + re.sub(r"([\\\[\]])", r"\\\1", option.help) + "]"
        for word in option.spellings():
            joint, value = "", f":{message}:{action}"
            if kind == "topic":
                # Only in the same word, and only behind the name.
                joint, value = ("=-", ":" + value) if word.startswith("--") else ("", "")
            elif kind:
                joint = "=" if word.startswith("--") else "+"
            lines.append(quote(before + word + joint + described + (value if kind else "")))
    return lines


def fish_options(tables):
    """One command for each option; two for an address, which is a path with -U."""
    lines = []
    for option in tables.options.values():
        names = [f"-s {option.letter}"] if option.letter else []
        names += [f"-l {option.name}"] if option.name else []
        kind, words = option.kind(), quote(" ".join(tables.words(option)))
        live = f"-x -a '(__sockcat_{kind})'"
        variants = {"": [""], "nothing": ["-x"], "words": [f"-x -a {words}"], "topic": [f"-a {words}"],
                    "file": ["-r -F"], "command": ["-x -a '(__fish_complete_command)'"], "address": ["-n __sockcat_unix -r -F",
                                                   "-n 'not __sockcat_unix' -x -a '(__sockcat_hosts)'"]}
        described = "-d " + quote(option.help.replace("\\", "\\\\"), "\\'")
        for variant in variants.get(kind, [live]):
            lines.append(" ".join(filter(None, ["complete -c sockcat", *names, variant, described])))
    return lines


# ---- writing ----

def fill(path, places, inputs):
    """The text of a template with everything in its place; says at the top where it is from."""
    comment = '.\\"' if path == PAGE else "#"
    lines, used = [], set()
    for line in read(path).splitlines():
        match = re.fullmatch(rf"(\s*){re.escape(comment)} @(\w+)@", line)
        if match is None:
            lines.append(line)
        elif match[2] not in places:
            raise Bad(f"{path}: nothing is called @{match[2]}@")
        else:
            used.add(match[2])
            lines += [match[1] + text if text else "" for text in places[match[2]]]
    for missing in places.keys() - used:
        raise Bad(f"{path}: there is no line {comment} @{missing}@")
    top = 1 if lines and lines[0].startswith("#compdef") else 0
    lines[top:top] = [f"{comment} Generated by scripts/generate.py; do not edit. From:",
                      f"{comment} {' '.join([path, *inputs])}"]
    return "\n".join(lines) + "\n"


def generate():
    """Yields path and text of every generated file."""
    tables = read_tables()
    inputs = [LIVE, OPTIONS, TOS]
    yield "man/sockcat.1", fill(PAGE, {"OPTIONS": mdoc_options(tables), "STATUS": mdoc_statuses(tables)},
                                [PROSE, OPTIONS, STATUSES])
    yield "completions/sockcat.bash", fill("completions/sockcat.bash.in", {
        **tables.live, "OPTIONS": bash_options(tables),
        "NAMES": [option.spellings()[-1] for option in tables.options.values()]}, inputs)
    yield "completions/_sockcat", fill("completions/_sockcat.in", {
        **tables.live, "OPTIONS": zsh_options(tables)}, inputs)
    yield "completions/sockcat.fish", fill("completions/sockcat.fish.in", {
        **tables.live, "OPTIONS": fish_options(tables), "VALUED": [" ".join(
            word for option in tables.options.values() if option.kind() not in ("", "topic")
            for word in option.spellings())]}, inputs)


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = 0
    try:
        for path, text in list(generate()):
            target = ROOT / path
            if target.exists() and target.read_text(encoding="utf-8") == text:
                continue
            if sys.argv[1:]:
                print(f"{path}: stale; run scripts/generate.py", file=sys.stderr)
                stale = 1
            else:
                target.write_text(text, encoding="utf-8")
                print(f"wrote {path}")
    except Bad as bad:
        print(f"generate.py: {bad}", file=sys.stderr)
        return 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
