#!/usr/bin/env python3
"""Writes the man page, the shells' completions and the schema of reports from the tables of the source.

    scripts/generate.py            writes man/{sockcat.1,report.schema.json} and
                                   completions/{sockcat.bash,_sockcat,sockcat.fish}
    scripts/generate.py --check    writes nothing; status 1 and one line for each file that is stale

It reads text only, never the built program, for cross builds. In a template a comment that is just @NAME@ is
replaced by the text of that name. Blocks of man/options.in and completions/live.in begin with "== NAME".
"""
import ast
import dataclasses
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
import events  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
OPTIONS, STATUSES, TOS = "src/cli/options.def", "src/base/status.def", "src/net/tos.def"
EVENTS = "src/base/event.def"
FORMATS, SCHEMES = "src/frame/frame.c", "src/net/endpoint_uri.c"
PAGE, PROSE, LIVE = "man/sockcat.1.in", "man/options.in", "completions/live.in"

TYPES = "FLAG TIME SIZE COUNT NUMBER ENUM OPTIONAL PORT HOST INTERFACE USER FILE PROGRAM STRING".split()
REPEATS = "ANY COUNTS ONCE LIST".split()
# The most characters of a help line: completions show it in one line, too.
HELP_MAX = 50
# What the completions offer for a value; "words": those of the row; other types: nothing.
KINDS = {"ENUM": "words", "OPTIONAL": "optional", "PORT": "services", "HOST": "address",
         "INTERFACE": "interfaces", "USER": "users", "FILE": "file", "PROGRAM": "command"}
KINDS_BY_ID = {"tos": "words", "mode": "words", "congestion": "congestion", "group": "groups", "to": "endpoint",
               "report": "words"}


class Bad(Exception):
    """Invalid input; the message has the position and the cause."""


@dataclasses.dataclass
class Option:
    """A row of the table; the fields are the columns."""
    id: str
    name: str
    letter: str
    type: str
    argument: str
    min: str
    max: str
    group: str
    shown: str
    repeat: str
    classes: list
    excludes: list
    needs: list
    feature: str
    help: str

    def spellings(self):
        """The letter and the name, as on the command line."""
        return (["-" + self.letter] if self.letter else []) + (["--" + self.name] if self.name else [])

    def is_one_of(self, words):
        """Whether a list of ids names the option or one of its classes."""
        return bool(set(words) & {self.id, *self.classes})

    def kind(self):
        """What a completion offers for the value; "" if there is none."""
        if self.type == "FLAG":
            return ""
        if self.argument == "FORMAT":
            return "formats"
        return KINDS_BY_ID.get(self.id) or KINDS.get(self.type, "nothing")


@dataclasses.dataclass
class Tables:
    """All input except the templates."""
    topics: list    # of (id, topic, title)
    classes: dict   # id: what its options exclude
    options: dict   # id: Option
    statuses: list  # of (number, text)
    tos: list       # of names
    prose: dict     # id of an option: mdoc
    fields: list    # of reports
    events: list
    live: dict      # name: shell, the same for all shells

    def excludes(self, option, other):
        """Whether the row of one option, or one of its classes, excludes the other."""
        words = option.excludes + [word for name in option.classes for word in self.classes[name]]
        return other is not option and other.is_one_of(words)

    def barred(self, option):
        """The options that cannot follow this one: itself, and what either side excludes."""
        return [other for other in self.options.values()
                if self.excludes(option, other) or self.excludes(other, option)
                or (other is option and option.repeat in ("ANY", "ONCE"))]

    def barred_spellings(self, option):
        """Their spellings."""
        return [word for other in self.barred(option) for word in other.spellings()]

    def words(self, option):
        """The set of values, if it is finite."""
        if option.id == "tos":
            return self.tos
        if option.id == "mode":
            return ["0600", "0660", "0666"]
        if option.id == "report":
            return ["json", "text"]
        if option.id == "help":
            return [topic for _, topic, _ in self.topics] + ["exit", "all"]
        # Upper case stands for a value of the user's.
        listed = option.type in ("ENUM", "OPTIONAL") and not option.argument.isupper()
        return option.argument.split("|") if listed else []


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
            raise Bad(f"{path}:{line}: unexpected '{text[at:].splitlines()[0][:20]}'")
        if match.lastgroup != "skip":
            yield line, match.lastgroup, match[0]
        at, line = match.end(), line + match[0].count("\n")


def rows(path, columns):
    """Yields position, macro and arguments of each row; columns: their number by macro."""
    stream = tokens(path, read(path))
    for line, kind, macro in stream:
        if kind != "word" or macro not in columns:
            raise Bad(f"{path}:{line}: '{macro}' does not begin a row")
        depth, text, arguments = 0, "", [""]
        for _, kind, text in stream:
            if kind == "mark":
                depth += {"(": 1, ")": -1}.get(text, 0)
            if depth == 0 or text in columns:
                break
            if kind in ("string", "char"):
                arguments[-1] += ast.literal_eval(text)  # C and Python share the syntax
            elif depth == 1 and text == ",":
                arguments.append("")
            elif depth > 1 or text != "(":
                arguments[-1] += text
        if depth != 0 or text != ")":
            raise Bad(f"{path}:{line}: {macro} is not terminated")
        if len(arguments) != columns[macro]:
            raise Bad(f"{path}:{line}: {macro} has {len(arguments)} columns instead of {columns[macro]}")
        yield f"{path}:{line}", macro, arguments


def read_options():
    """The groups, the classes and the options of the table, checked."""
    topics, classes, options, taken = [], {}, {}, set()
    for where, macro, row in rows(OPTIONS, {"GROUP": 3, "CLASS": 2, "ALIAS": 2, "OPTION": len(dataclasses.fields(Option))}):
        if macro == "GROUP":
            topics.append(tuple(row))
            continue
        # Another name is not offered; the prose of the option mentions it.
        if macro == "ALIAS":
            continue
        if macro == "CLASS":
            classes[row[0]] = row[1].split()
            continue
        option = Option(*row)
        option.letter = option.letter.replace("0", "")
        option.classes, option.needs = option.classes.split(), option.needs.split()
        for name in option.classes:
            if name not in classes:
                raise Bad(f"{where}: {option.id}: unknown class {name}")
        option.excludes = option.excludes.split()
        words = option.spellings()
        for wrong, problem in (
                (option.id in options, "there are two rows"),
                (not words, "neither a name nor a letter"),
                (not re.fullmatch(r"(-[A-Za-z1-9])? ?(--[a-z0-9][a-z0-9-]*)?", " ".join(words)), "bad name or letter"),
                (taken.intersection(words), "name or letter is taken"),
                (option.type not in TYPES, f"unknown type {option.type}"),
                (option.repeat not in REPEATS, f"unknown repeat {option.repeat}"),
                (option.shown not in ("SHORT", "ALL"), f"unknown shown {option.shown}"),
                (len(option.help) > HELP_MAX, f"the help is longer than {HELP_MAX} characters"),
                (option.group not in [topic[0] for topic in topics], f"unknown group {option.group}"),
                ((option.argument == "") != (option.type == "FLAG"), "all but a FLAG have an argument")):
            if wrong:
                raise Bad(f"{where}: {option.id}: {problem}")
        taken.update(words)
        options[option.id] = option
    for option in options.values():
        for word in option.excludes + option.needs:
            if word not in options and word not in classes:
                raise Bad(f"{OPTIONS}: {option.id}: unknown option or class {word}")
        option.needs = [other.id for other in options.values() if other.is_one_of(option.needs)]
    return topics, classes, options


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


def read_formats():
    """The names of the message formats with the ':' of a parameter, and all of NAME,PARAMETER."""
    usages = {}
    for path in sorted((ROOT / FORMATS).parent.glob("*.c")):
        text = read(path.relative_to(ROOT))
        for macro, body in re.findall(r"#define (\w+)\(word, .*\\\n((?:.*\\\n)*)", text):
            for word in re.findall(rf"^{macro}\((\w+),", text, re.M):
                text += body.replace("##word", word).replace("#word", f'"{word}"')
        text = re.sub(r'" "|\\\n', "", text)
        usages.update(re.findall(r'struct frame_format (\w+) = \{\s*\.name = "[^"]+",\s*\.usage = "([^"]+)"', text))
    names, parameters = [], []
    for row in re.findall(r"^\t&(\w+),$", read(FORMATS), re.M):
        if row not in usages:
            raise Bad(f"{FORMATS}: {row} has no name and usage")
        names.append(re.match(r"[^:[]+:?", usages[row])[0])
        parameters += [names[-1] + text for text in re.findall(r"\[(,\w+=?)", usages[row]) if names[-1][-1] != ":"]
    return names, parameters


def read_tables():
    """All tables, checked for consistency."""
    topics, classes, options = read_options()
    statuses = [(row[1], row[2]) for _, _, row in rows(STATUSES, {"STATUS": 3})]
    tos = [row[0] for _, _, row in rows(TOS, {"TOS": 2})]
    prose = read_blocks(PROSE)
    for missing in sorted(options.keys() - prose.keys()):
        raise Bad(f"{PROSE}: option {missing} has no prose")
    for extra in sorted(prose.keys() - options.keys()):
        raise Bad(f"{PROSE}: prose without an option: {extra}")
    live = read_blocks(LIVE)
    schemes = re.findall(r'^\t\{ "([^"]+)", ENDPOINT_URI', read(SCHEMES), re.M)
    for name, words in zip(("schemes", "formats", "parameters"), (schemes, *read_formats())):
        if not words:
            raise Bad(f"there are no {name}")
        live[name] = ["printf '%s\\n' " + " ".join(words)]
    try:
        fields, kinds = events.read(read(EVENTS))
    except (ValueError, KeyError) as error:
        raise Bad(f"{EVENTS}: {error}") from None
    return Tables(topics, classes, options, statuses, tos, prose, fields, kinds, live)


# ---- the man page ----

def mdoc_item(tables, option):
    """The .It line of an option."""
    words = " , ".join("Fl " + word[1:] for word in option.spellings())
    if option.type == "OPTIONAL":
        macro = "Ar" if option.argument.isupper() else "Cm"
        return f".It {words} Ns Op = Ns {macro} {option.argument.lower()}"
    if option.type == "ENUM":
        return f".It {words} Cm {' | '.join(tables.words(option))}"
    return f".It {words}" + (f" Ar {option.argument.lower()}" if option.argument else "")


def mdoc_flags(tables, ids):
    """The options in the order of the table, each by its shortest spelling."""
    return [".Fl " + option.spellings()[0][1:] for option in tables.options.values() if option.id in ids]


def mdoc_list(flags, last):
    """Options as a list, with a conjunction before the last one."""
    return [flag + " ," for flag in flags[:-2]] + ([flags[-2], last] if len(flags) > 1 else []) + [flags[-1]]


def mdoc_rule(tables, ids, rule, others):
    """An item "-a, -b: only with -c or -d"."""
    flags = mdoc_flags(tables, ids)
    return [".It", *(flag + " ," for flag in flags[:-1]), flags[-1] + " :", rule,
            *mdoc_list(mdoc_flags(tables, others), "or")]


def cliques(around, members, candidates, done):
    """Yields the maximal sets of options that all exclude each other (Bron-Kerbosch algorithm)."""
    if not candidates | done:
        yield members
        return
    pivot = max(sorted(candidates | done), key=lambda one: len(around[one] & candidates))
    for one in sorted(candidates - around[pivot]):
        yield from cliques(around, members | {one}, candidates & around[one], done & around[one])
        candidates, done = candidates - {one}, done | {one}


def pairs(ones, others):
    """The pairs of an option of one set and another one of the other set."""
    return {frozenset((one, other)) for one in ones for other in others}


def conflicts(tables):
    """Yields pairs of sets, each option of one of which excludes each other option of the other. Together they
    cover all conflicts: greedily, the most new conflicts for the number of names first."""
    around = {one.id: {other.id for other in tables.barred(one)} - {one.id} for one in tables.options.values()}
    left = set().union(*(pairs([one], around[one]) for one in around))
    groups = [(group, group) for group in cliques(around, set(), set(around), set()) if len(group) > 2]
    while left:
        rest = {one: frozenset(other for other in around[one] if pairs([one], [other]) <= left) for one in around}
        common = {rest[one] & rest[other] for one in around for other in around} - {frozenset()}
        splits = [(half, {one for one in around if half <= rest[one]}) for half in sorted(common, key=sorted)]
        ones, others = max(groups + splits, key=lambda both: len(pairs(*both) & left) / len(both[0] | both[1]))
        left -= pairs(ones, others)
        yield ones, others


def mdoc_relations(tables):
    """The options that exclude each other, then those that need another one."""
    lines, needs = [".Bl -bullet -compact"], {}
    for ones, others in conflicts(tables):
        if ones == others:
            lines += [".It", "At most one of", *mdoc_list(mdoc_flags(tables, ones), "and")]
        else:
            few, many = sorted((ones, others), key=len)
            lines += mdoc_rule(tables, few, "not with", many)
    for option in tables.options.values():
        if option.needs:
            needs.setdefault(tuple(option.needs), []).append(option.id)
    for needed, ids in needs.items():
        lines += mdoc_rule(tables, ids, "only with", needed)
    return lines + [".El"]


def mdoc_options(tables):
    """The options by group."""
    lines = []
    for group, _, title in tables.topics:
        lines += [f".Ss {title}", ".Bl -tag -width Ds"]
        for option in (o for o in tables.options.values() if o.group == group):
            lines += [mdoc_item(tables, option), *tables.prose[option.id]]
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
    """Quote a word for bash and zsh; fish escapes apostrophes differently."""
    return "'" + text.replace("'", apostrophe) + "'"


def live_cases(tables, first, last):
    """The blocks as branches of a case statement."""
    return [line for name, lines in tables.live.items()
            for line in (first.format(name), *("    " + line for line in lines), *last)]


def bash_options(tables):
    """The branches of a case statement with the properties of each option."""
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


def zsh_option(tables, option):
    """Specifications for _arguments: one for the letter, one for the name."""
    lines = []
    kind, words = option.kind(), " ".join(tables.words(option))
    message = re.sub(r"([\\:])", r"\\\1", "value" if option.type == "ENUM" else option.argument)
    action = {"words": f"({words})", "optional": f"({words})", "nothing": " ",
              "file": "_files", "command": "_command_names -e"}.get(kind, f"->{kind}")
    before = "*" if option.repeat in ("LIST", "COUNTS") else ""
    barred = " ".join(tables.barred_spellings(option))
    before = (f"({barred})" if barred else "") + before
    described = "[" + re.sub(r"([\\\[\]])", r"\\\1", option.help) + "]"
    for word in option.spellings():
        joint, value = "", f":{message}:{action}"
        if kind == "optional":
            # Only in the same word, and only after the name.
            joint, value = ("=-", ":" + value) if word.startswith("--") else ("", "")
        elif kind:
            joint = "=" if word.startswith("--") else "+"
        lines.append(quote(before + word + joint + described + (value if kind else "")))
    return lines


def zsh_options(tables):
    """The title of each topic and the specifications of its options."""
    lines = []
    for group, _, title in tables.topics:
        lines.append(quote(title))
        for option in (o for o in tables.options.values() if o.group == group):
            lines += zsh_option(tables, option)
    return lines


def fish_options(tables):
    """One command for each option; two for an address, which is a path with -U."""
    lines = []
    for option in tables.options.values():
        barred = " ".join(tables.barred_spellings(option))
        names = [f"-s {option.letter}"] if option.letter else []
        names += [f"-l {option.name}"] if option.name else []
        kind, words = option.kind(), quote(" ".join(tables.words(option)))
        live = ("", f"-x -a '(__sockcat_live {kind})'")
        variants = {"": [("", "")], "nothing": [("", "-x")], "words": [("", f"-x -a {words}")],
                    "optional": [("", f"-a {words}")], "file": [("", "-r -F")],
                    "command": [("", "-x -a '(__fish_complete_command)'")],
                    "formats": [("", "-x -a '(__sockcat_formats)'")],
                    "endpoint": [("", "-x -a '(__sockcat_endpoint :)'")],
                    "address": [("__sockcat_unix", "-r -F"), ("not __sockcat_unix", "-x -a '(__sockcat_live hosts)'")]}
        described = "-d " + quote(option.help.replace("\\", "\\\\"), "\\'")
        for condition, variant in variants.get(kind, [live]):
            condition = "; and ".join(filter(None, [condition, barred and "__sockcat_lacks " + barred]))
            condition = condition and f"-n '{condition}'"
            lines.append(" ".join(filter(None, ["complete -c sockcat", condition, *names, variant, described])))
    return lines


# ---- writing ----

def fill(path, places, inputs):
    """The expanded template, with a header that names its sources."""
    comment = '.\\"' if path == PAGE else "#"
    lines, used = [], set()
    for line in read(path).splitlines():
        match = re.fullmatch(rf"(\s*){re.escape(comment)} @(\w+)@", line)
        if match is None:
            lines.append(line)
        elif match[2] not in places:
            raise Bad(f"{path}: unknown name @{match[2]}@")
        else:
            used.add(match[2])
            lines += [match[1] + text if text else "" for text in places[match[2]]]
    for missing in places.keys() - used:
        raise Bad(f"{path}: missing line {comment} @{missing}@")
    top = 1 if lines and lines[0].startswith("#compdef") else 0
    lines[top:top] = [f"{comment} Generated by scripts/generate.py; do not edit. From:",
                      f"{comment} {' '.join([path, *inputs])}"]
    return "\n".join(lines) + "\n"


def generate():
    """Yields path and text of every generated file."""
    tables = read_tables()
    inputs = [LIVE, OPTIONS, TOS, SCHEMES, "src/frame/*.c"]
    live = {"LIVE": live_cases(tables, "{})", ["    ;;"])}
    yield "man/sockcat.1", fill(PAGE, {
        "OPTIONS": mdoc_options(tables), "CONFLICTS": mdoc_relations(tables), "STATUS": mdoc_statuses(tables),
        "EVENTS": events.mdoc_events(tables.events), "MEMBERS": events.mdoc_members(tables.fields)},
                                [PROSE, OPTIONS, STATUSES, EVENTS])
    yield "man/report.schema.json", json.dumps(events.schema(tables.fields, tables.events), indent=2) + "\n"
    yield "completions/sockcat.bash", fill("completions/sockcat.bash.in", {
        **live, "OPTIONS": bash_options(tables),
        "NAMES": [option.spellings()[-1] for option in tables.options.values()]}, inputs)
    yield "completions/_sockcat", fill("completions/_sockcat.in", {
        **live, "OPTIONS": zsh_options(tables)}, inputs)
    yield "completions/sockcat.fish", fill("completions/sockcat.fish.in", {
        "LIVE": live_cases(tables, "case {}", []), "OPTIONS": fish_options(tables), "VALUED": [" ".join(
            word for option in tables.options.values() if option.kind() not in ("", "optional")
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
