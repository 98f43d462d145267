"""Command lines of a hundred thousand words, and words of 131 kB."""
import os
import re
import resource
import subprocess

from drive import accept, Cat, check, exactly, LIMIT, main, tcp, to_end


def refused(words, status, text, shown):
    """The command line ends with the status, and one line of bounded length, cut in its middle, that matches."""
    done = subprocess.run([os.environ['SOCKCAT'], *words], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=LIMIT)
    errors = done.stderr.decode().partition('usage:')[0]
    whole = re.fullmatch('sockcat: %s\n' % text, errors.replace('[...]', '', 1))
    check((done.returncode, done.stdout, len(errors) <= 4096, bool(whole)), (status, b'', True, True),
          '%s: %d bytes: %.300r' % (shown, len(errors), errors))


def many_words():
    for words, status, text in (
            (['a'] * 100000, 2, "extra operand 'a'"),
            (['-v'] * 100000, 2, r'missing host and port'),
            (['a', '-n'] * 5000, 2, "extra operand 'a'"),
            ([''] * 100000, 2, "extra operand ''"),
            (['--'] * 100000, 2, "extra operand '--'"),
            (['-z', 'a', '1'] * 33333, 3, "port 'a': neither a number from 0 to 65535 nor a known service"),
            (['-lvn'] * 50000 + ['-p'], 2, 'option --source-port requires an argument')):
        refused(words, status, text, words[:3])


def many_ports(port):
    refused(['-znv', '127.0.0.1'] + [port] * 100000, 1, '127.0.0.1:%s: closed' % port, port)


def many_options():
    server = tcp()
    for words in ['--sockopt', 'SOCKET:PRIORITY:1'] * 1000 + ['-n'] * 98000, ['-v'] * 100000:
        r, w = os.pipe()
        os.write(w, b'question')
        os.close(w)
        cat = Cat(*words, '127.0.0.1', str(server.getsockname()[1]), stdin=r)
        s = accept(server)
        check(exactly(s, 8), b'question')
        s.sendall(b'answer')
        check(to_end(s), b'')
        s.close()
        check(cat.end(), b'answer')


def sized_words():
    port = 'neither a number from 0 to 65535 nor a known service'
    for length in (62, 63, 64, 65, 107, 108, 109, 127, 128, 253, 254, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025,
                   4094, 4095, 4096, 4097, 8192):
        host = 'expected an address, not a name' if length < 255 else 'the name is longer than 254 characters'
        path = "path '%%sb+': %d bytes, a socket's path has at most 107" % (length + 1)
        word = 'b' * length
        for words, status, text in (
                (['-n', word, '80'], 3, "host 'b+': " + host),
                (['127.0.0.1', word], 3, "port 'b+': " + port),
                (['-U', '/' + word], *((7, 'connect /b+: No such file or directory') if length < 107 else
                                       (3, path % '/'))),
                (['-U', '@' + word], *((7, 'connect @b+: Connection refused') if length <= 107 else
                                       (3, path % '@')))):
            refused(words, status, text, '%s of %d bytes' % (words[0], length))


def long_words():
    # The limit for all words is a quarter of the stack's.
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    size = 16 << 20 if hard == resource.RLIM_INFINITY else min(hard, 16 << 20)
    resource.setrlimit(resource.RLIMIT_STACK, (size, hard))
    word = 'x' * 131000
    many = [word] * (2000000 // len(word))
    host = "host '%s': the name is longer than 254 characters"
    port = "port 'x+': neither a number from 0 to 65535 nor a known service"
    path = "path 'x+': 131000 bytes, a socket's path has at most 107"
    for words, status, text in (
            ([word, '80'], 3, host % 'x+'),
            (['127.0.0.1', word], 3, port),
            (['-U', word], 3, path),
            (['unix:' + word], 3, path),
            ([word + ':80'], 3, host % 'x+'),
            (['tcp://' + word], 3, "endpoint 'tcp://x+:80"),
            (['-w', word, 'a', '1'], 3, "invalid -w 'x+': expected a time such as 2, 0.5, 500ms, 3m or 1m30s"),
            (['--' + word], 2, r'unknown option --x+'),
            (['--join', word, '-u', 'a', '1'], 3, "invalid --join 'x+' is not a multicast address"),
            (['--sockopt', word + ':a:1', 'a', '1'], 3,
             "invalid --sockopt 'x+:a:1': expected the level SOCKET, IP, IPV6, TCP, UDP or a number"),
            (['--sockopt', '1:' + word + ':1', 'a', '1'], 3,
             "invalid --sockopt '1:x+:1': unknown option name for 1; it can be given by number"),
            (['-T', word, 'a', '1'], 3, r"invalid --tos 'x+': expected a number from 0 to 255 \(or 0x0 to 0xff\), "
             'or a name such as ef, af11, cs1 or lowdelay'),
            (['-z', 'a', '1,' * 65000 + 'x'], 3, port.replace('+', '')),
            (['--interface', word, '127.0.0.1', '9'], 45, "invalid --interface 'x+': no such interface"),
            (['--help=' + word], 3, r"invalid --help 'x+': expected one of basics\|.*\|all"),
            (['--until=' + word, 'a', '1'], 3, r"invalid --until 'x+': expected one of both\|peer\|stdin\|either"),
            (['-p', word, 'a', '1'], 3, port),
            (['-s', word, 'a', '1'], 3, host % 'x+'),
            (['-o', word, '127.0.0.1', '9'], 23, 'open x+: File ?name too long'),
            (['a', '1'] + many, 2, "extra operand 'x+'"),
            (['9' * 131000, '80'], 3, host % '9+'),
            (['[' + word, '80'], 3, host % r'\[x+'),
            (['::' + word, '80'], 3, "host '::x+': not an IPv6 address"),
            (['fd://' + '9' * 100000], 3,
             r"endpoint 'fd://9+': expected a descriptor \(0, or from 3\) or a name in LISTEN_FDNAMES")):
        refused(words, status, text, [w[:20] for w in words[:4]])


if __name__ == '__main__':
    main()
