#!/usr/bin/env bats
# files.bats - --in, --out and --force: a file has its name only when it is complete, and what was
# received is kept when it is not.

# shellcheck disable=SC2154 # the helpers set port
bats_require_minimum_version 1.5.0
load lib/helper

@test "a file that cannot be written or read is refused before anything is connected" { drive files refusals; }

@test "--out: the file gets its name and its permissions when the session has ended well" { drive files result; }

@test "--force replaces at the end; without it a file that has appeared meanwhile stays" { drive files replaced; }

@test "--out: what was received is kept when the session fails, and replaced by the next run" { drive files kept; }

@test "--out: a failure of any call is status 23, and keeps the data" { drive files faults; }

@test "--out: a full disk in the middle" {
    need unshare mount
    unshare -m true 2>/dev/null || skip "no mount namespace"
    drive files full_disk
}

@test "--out: the data is on the disk before the name, and the name before the end" {
    need strace
    drive files order
}

@test "-lk --out has one file for each client, and --in the whole file for each" { drive files clients; }

@test "-lk --out with few descriptors: clients wait, and none loses its file" { drive files few_descriptors; }

@test "%a in --out is the address of the peer, within one component" { drive files addresses; }

@test "-luk --out: silence is the end of a file" { drive files datagrams; }

@test "-lk --out: a slow sync holds up no other client, and no signal" { drive files slow_sync; }

@test "--out: no message says that the data is kept elsewhere when the file gets its name" {
    need_shim
    drive files renamed
}

@test "--resume --out continues what a session has left, with --offset or another program at the other end" {
    drive files resumed
}

@test "--resume --out --expect-digest proves the whole file" {
    need_plugin digest
    drive files proven
}

@test "--offset beyond the end of the input" { drive files offsets; }

@test "--out writes to a device or a FIFO as it is" { drive files devices; }

@test "--frame with --in and --out has lines in the files" { drive files frames; }

@test "command lines that --in and --out do not fit" {
    each <<'END'
assert_fails 3 expected.*percent sockcat --out a%b 127.0.0.1 9
assert_fails 3 expected.*percent sockcat --out a% 127.0.0.1 9
assert_fails 2 one.file.for.each.client sockcat -lk --out a 127.0.0.1 0
assert_fails 2 one.file.for.each.client sockcat -lk --out 100%% 127.0.0.1 0
assert_fails 23 open./none/1:.No.such sockcat -l --out /none/%n 127.0.0.1 0
assert_fails 23 open./none/a-1:.No.such sockcat -lk --out /none/a-%n 127.0.0.1 0
assert_fails 23 open./none/_:.No.such sockcat -l --out /none/%a 127.0.0.1 0
assert_fails 2 requires.--receive.or.--out sockcat --force 127.0.0.1 9
assert_fails 2 conflicts sockcat --out a -e cat 127.0.0.1 9
assert_fails 2 conflicts sockcat -l --in a --echo 127.0.0.1 0
assert_fails 2 conflicts sockcat -lk --in a --chat 127.0.0.1 0
assert_fails 2 conflicts sockcat -d --in a 127.0.0.1 9
assert_fails 2 conflicts sockcat --send-only --out a 127.0.0.1 9
assert_fails 2 requires.one.file sockcat -lk --resume --out a%n 127.0.0.1 0
assert_fails 2 requires.one.file sockcat -l --resume --out a%a 127.0.0.1 0
assert_fails 2 requires.a.regular.file sockcat -l --resume --out - 127.0.0.1 0
assert_fails 2 requires.a.regular.file sockcat -l --resume --out /dev/null 127.0.0.1 0
assert_fails 2 conflicts sockcat -lu --resume --out a 127.0.0.1 0
assert_fails 2 conflicts sockcat -l --resume --out a --digest-file b 127.0.0.1 0
assert_fails 2 conflicts sockcat -l --resume --out a --frame u32be 127.0.0.1 0
assert_fails 2 conflicts sockcat -lk --offset 1 127.0.0.1 0
assert_fails 2 conflicts sockcat -d --offset 1 127.0.0.1 9
assert_fails 2 conflicts sockcat --send a --offset 1 127.0.0.1 9
END
}
