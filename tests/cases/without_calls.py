#!/usr/bin/env python3
"""Runs a program on a kernel that does not have some system calls, as old kernels and sandboxes do.

    without_calls.py NAME[,NAME...] PROGRAM [ARG...]     the calls fail with ENOSYS
    without_calls.py NAME[,NAME...]                      status 77 if this machine cannot do that
"""
import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {
    "x86_64": {"close_range": 436, "renameat2": 316},
    "aarch64": {"close_range": 436, "renameat2": 276},
}
PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_SET_NO_NEW_PRIVS = 22, 2, 38
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO = 0x7FFF0000, 0x00050000
BPF_LOAD, BPF_JUMP_EQUAL, BPF_RETURN = 0x20, 0x15, 0x06


def main():
    names, command = sys.argv[1].split(","), sys.argv[2:]
    numbers = NUMBERS.get(platform.machine())
    if numbers is None:
        return 77
    rows = [struct.pack("HBBI", BPF_LOAD, 0, 0, 0)]
    for name in names:
        rows.append(struct.pack("HBBI", BPF_JUMP_EQUAL, 0, 1, numbers[name]))
        rows.append(struct.pack("HBBI", BPF_RETURN, 0, 0, SECCOMP_RET_ERRNO | errno.ENOSYS))
    rows.append(struct.pack("HBBI", BPF_RETURN, 0, 0, SECCOMP_RET_ALLOW))
    program = ctypes.create_string_buffer(b"".join(rows))
    rule = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(rows), ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or \
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, rule, 0, 0) != 0:
        return 77
    if command:
        os.execvp(command[0], command)
    return 0


sys.exit(main())
