#!/usr/bin/env python3
"""Checks what can be counted in the tests: Python belongs in files under tests/cases.

    check-tests.py [DIRECTORY]      default: tests

A Python text in a bats file has at most ten lines; every function of a file of tests/cases that the
file does not use itself is named by a bats file.
"""
import ast
import pathlib
import re
import sys

MOST_LINES = 10
HEREDOC = re.compile(r"<<(-?)(['\"]?)([A-Za-z_]\w*)\2")
INLINE = re.compile(r"python3 .*-c (['\"])(.*)$")


def is_python(command, body):
    """Whether the text is Python: it is given to Python, or it parses and imports a module."""
    if re.search(r'python3|\bdrive\b|\.py\b', command):
        return True
    try:
        tree = ast.parse('\n'.join(body))
    except (SyntaxError, ValueError):
        return False
    return any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(tree))


def texts(lines):
    """Line number, command line and lines of each here-document and each -c string of more than one line."""
    at = 0
    while at < len(lines):
        command, start = lines[at], at
        at += 1
        if command.lstrip().startswith('#'):
            continue
        here, inline = HEREDOC.search(command), INLINE.search(command)
        if here:
            while at < len(lines) and (lines[at].lstrip('\t') if here[1] else lines[at]) != here[3]:
                at += 1
            yield start + 1, command, lines[start + 1:at]
        elif inline and inline[1] not in inline[2]:
            while at < len(lines) and inline[1] not in lines[at]:
                at += 1
            yield start + 1, command, [inline[2]] + lines[start + 1:at + 1]


def unused(tree, names):
    """The functions of a module that neither it nor one of the names calls."""
    own = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return [node for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.name not in own | names]


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else 'tests')
    faults, names = [], set()
    for path in sorted(directory.glob('*.bats')):
        text = path.read_text()
        names.update(re.findall(r'\w+', text))
        for number, command, body in texts(text.split('\n')):
            if len(body) > MOST_LINES and is_python(command, body):
                faults.append('%s:%d: %d lines of Python; at most %d' % (path, number, len(body), MOST_LINES))
    for path in sorted(directory.glob('cases/*.py')):
        for node in unused(ast.parse(path.read_text()), names):
            faults.append('%s:%d: no test calls %s' % (path, node.lineno, node.name))
    sys.exit('\n'.join(faults) or None)


if __name__ == '__main__':
    main()
