"""Reports: destinations that are full, closed or shared, and the lines of many runs against the schema."""
import json
import os
import socket
import subprocess
import sys

from drive import LIMIT, Cat, accept, check, end, main, tcp, to_end, until


def filled_pipe():
    """A pipe in which there is no room, and how much there is in it."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    size = 0
    try:
        while True:
            size += os.write(writer, b'x' * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    return reader, writer, size


def emptied(reader, size):
    """Reads what filled the pipe."""
    while size > 0:
        size -= len(os.read(reader, size))


def lines(reader):
    """The lines of the report up to its end."""
    with open(reader, 'rb') as pipe:
        return [json.loads(line) for line in pipe]


def session(report, *args):
    """A sockcat that reports to the descriptor, which is closed here, and its peer."""
    listener = tcp()
    process = subprocess.Popen(
        [os.environ['SOCKCAT'], '--report=json:fd:%d' % report, *args, '127.0.0.1', str(listener.getsockname()[1])],
        pass_fds=[report], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(report)
    return process, accept(listener)


def full_pipe():
    """The session is served while nothing is read, and a line after that has the number of those dropped."""
    reader, writer, size = filled_pipe()
    process, peer = session(writer)
    process.stdin.write(b'hello')
    process.stdin.close()
    process.stdin = None
    check(to_end(peer), b'hello')
    emptied(reader, size)
    peer.close()
    end(process)
    told = lines(reader)
    check(told[-1]['event'], 'exit', told)
    # At least that it was connected, and the end of its input.
    check(sum(line.get('dropped', 0) for line in told) >= 2, True, told)


def has_socket(process):
    """Whether the process has one open."""
    folder = '/proc/%d/fd/' % process.pid
    return any(os.readlink(folder + fd).startswith('socket:') for fd in os.listdir(folder))


def late_reader():
    """The pipe is emptied only after the session."""
    for _ in range(5):
        reader, writer, size = filled_pipe()
        process, peer = session(writer, '-d')
        peer.close()
        until(lambda: not has_socket(process), 'the end of the session')
        emptied(reader, size)
        process.wait(LIMIT)
        # This script may have slept longer than the second that is waited for.
        if process.returncode == 0:
            break
    end(process)
    told = lines(reader)
    check([line['event'] for line in told], ['exit'], told)
    check(told[0]['dropped'] >= 2, True, told)


def no_reader():
    """The pipe is never emptied."""
    reader, writer, _ = filled_pipe()
    process, peer = session(writer, '-d')
    peer.close()
    _, errors = end(process, 23)
    check(errors, b'sockcat: write fd:%d: Connection timed out\n' % writer)
    os.close(reader)


def stuck_messages():
    """Standard error that never takes the report delays the end by a second only, also after a failure."""
    listener = tcp()
    refused = socket.socket()
    refused.bind(('127.0.0.1', 0))
    for port, status in ((listener, 23), (refused, 7)):
        reader, writer, _ = filled_pipe()
        process = subprocess.Popen(
            [os.environ['SOCKCAT'], '--report=json', '127.0.0.1', str(port.getsockname()[1])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=writer)
        if port is listener:
            accept(listener).close()
        end(process, status)
        os.close(reader)
        os.close(writer)


def closed_reader():
    """The pipe has no reader."""
    reader, writer = os.pipe()
    os.close(reader)
    process, peer = session(writer, '-d')
    peer.sendall(b'data')
    peer.close()
    output, errors = end(process, 23)
    check((output, errors), (b'data', b'sockcat: write fd:%d: Broken pipe\n' % writer))


def shared_flags():
    """Neither a pipe nor a socket becomes non-blocking for others."""
    for reader, writer in (os.pipe(), [one.detach() for one in socket.socketpair()]):
        shared = os.dup(writer)
        process, peer = session(writer, '-d')
        peer.sendall(b'data')
        check(process.stdout.read(4), b'data')
        check(os.get_blocking(shared), True)
        peer.close()
        end(process)
        check(os.get_blocking(shared), True)
        os.close(shared)
        check(lines(reader)[-1]['event'], 'exit')


SCHEMA = os.path.join(os.path.dirname(__file__), '../../man/report.schema.json')


def strict(schema):
    """No member is unknown, neither of a line nor of an object in it."""
    import copy
    schema = copy.deepcopy(schema)
    for part in (schema, schema['$defs']['address'], *schema['properties'].values()):
        if part.get('type') == 'object':
            part['additionalProperties'] = False
    return schema


def library():
    """jsonschema, which is a package of its own: the scripts of the tests are run without those."""
    import site
    site.main()
    import jsonschema
    return jsonschema


def validate(*paths):
    """Every line of the reports is valid, and each kind of event is in one of them. Prints the kinds."""
    jsonschema = library()
    with open(SCHEMA, encoding='utf-8') as file:
        schema = strict(json.load(file))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator, kinds = jsonschema.Draft202012Validator(schema), set()
    for path in paths:
        with open(path, encoding='utf-8') as file:
            report = [json.loads(line) for line in file]
        for line in report:
            if errors := [error.message for error in validator.iter_errors(line)]:
                sys.exit('%s: %r: %s' % (path, line, errors))
            kinds.add(' '.join(filter(None, (line['event'], line.get('state')))))
        check([line['event'] for line in report].index('exit'), len(report) - 1, path)
    print('\n'.join(sorted(kinds)))


def strays():
    """The schema is not one that takes everything."""
    jsonschema = library()
    with open(SCHEMA, encoding='utf-8') as file:
        validator = jsonschema.Draft202012Validator(strict(json.load(file)))
    good = {'v': 1, 'event': 'exit', 'time': '2026-11-29T01:51:29.668906Z', 'cause': None, 'status': 0}
    check(validator.is_valid(good), True)
    for wrong in ({'v': 2}, {'event': 'other'}, {'time': 'now'}, {'status': '0'}, {'status': -1}, {'extra': 1},
                  {'peer': '127.0.0.1:80'}, {'peer': {'host': 'a'}}, {'peer': {'name': 'a', 'host': 'a'}},
                  {'bytes': {'sent': 1}}, {'event': 'closed'}, {'event': 'program', 'state': 'gone'},
                  {'event': 'failed', 'cause': 1}, {'session': 0}):
        check(validator.is_valid(good | wrong), False, wrong)


def hostile(path, report, form='json'):
    """A client of a Unix socket whose name is no UTF-8, and that a terminal would obey."""
    cat = Cat('-l', '-k', '-d', '--max-accepts', '1', '--report=%s:%s' % (form, report), '-U', path)
    client = socket.socket(socket.AF_UNIX)
    client.bind(b'\0"\\\xff\xfe\x1b[2J\n{"v":2}' + '\u202e\u2028'.encode())
    client.connect(path)
    client.close()
    cat.end()


if __name__ == '__main__':
    main()
