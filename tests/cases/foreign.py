"""Every command line of foreign.tsv has the status and the message there."""
import os
import shlex
import subprocess
import sys

from drive import LIMIT

SOCKCAT = os.environ['SOCKCAT']

failures = []
with open(os.path.join(os.path.dirname(__file__), 'foreign.tsv')) as table:
    rows = [line.rstrip('\n').split('\t') for line in table if not line.startswith('#')]
for status, words, message in rows:
    run = subprocess.run([SOCKCAT, *shlex.split(words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         timeout=LIMIT)
    if (str(run.returncode), run.stderr.partition('usage:')[0], run.stdout) != (status, 'sockcat: %s\n' % message, ''):
        failures.append('%s: %d, %r' % (words, run.returncode, run.stderr))
if failures or len(rows) < 100:
    sys.exit('\n'.join(failures) or 'only %d rows' % len(rows))
