#!/usr/bin/env bats
# The completions, as the real shells offer them: bash and zsh on a terminal, fish through complete -C.

load lib/helper
load lib/complete_helper

# begin SHELL
begin() {
    need python3 cc getent "$1"
    mkdir "$T/home"
    cd "$T/home" || return
}

long_options() {
    begin "$1"
    mapfile -t names < <(spellings | grep '^--')
    [ "${#names[@]}" -gt 20 ] || fail "the table could not be read: ${names[*]}"
    assert_offers "$1" 'sockcat --' "${names[@]}"
}

letters() {
    begin "$1"
    mapfile -t letters < <(option_table | cut -d ';' -f 3 | grep . | sed 's/^/-/')
    got=$(offers "$1" 'sockcat -' | grep -E '^-[^-]' | LC_ALL=C sort)
    assert_equal "$got" "$(printf '%s\n' "${letters[@]}" | LC_ALL=C sort)"
}

words() {
    begin "$1"
    count=0
    while IFS=';' read -r _ name _ _ _ argument; do
        IFS='|' read -ra words <<<"$argument"
        assert_offers "$1" "sockcat --$name=" "${words[@]}"
        count=$((count + 1))
    done < <(option_table | grep ';ENUM;')
    [ "$count" -gt 3 ] || fail "only $count options with words"
    assert_offers "$1" 'sockcat --until ' both either peer stdin
    assert_offers "$1" 'sockcat --until=e' either
}

topics() {
    begin "$1"
    mapfile -t topics < <(table_rows "$ROOT/src/cli/options.def" '#define GROUP(id, topic, title) @row@ topic')
    assert_offers "$1" 'sockcat --help=' all exit "${topics[@]}"
}

tos() {
    begin "$1"
    mapfile -t names < <(table_rows "$ROOT/src/net/tos.def" '#define TOS(name, byte) @row@ name')
    [ "${#names[@]}" -gt 20 ] || fail "the table could not be read: ${names[*]}"
    assert_offers "$1" 'sockcat --tos ' "${names[@]}"
    assert_offers "$1" 'sockcat -T ' "${names[@]}"
}

# known_host NAME...: ssh knows them.
known_host() {
    mkdir -p .ssh
    printf '%s ssh-ed25519 AAAA\n' "$@" >.ssh/known_hosts
}

# some_ports: the services in $ports, which begin with ssh.
some_ports() {
    getent services ssh >/dev/null || skip "needs the service ssh"
    mapfile -t ports < <(service_names | grep '^ssh')
}

# make_socket PATH
make_socket() { python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$1"; }

formats() {
    begin "$1"
    mapfile -t usages < <("$SOCKCAT" --list-formats | grep -v '^ ')
    [ "${#usages[@]}" -gt 20 ] || fail "--list-formats printed: ${usages[*]}"
    count=0
    while IFS=';' read -r _ name _; do
        assert_offers "$1" "sockcat --$name " "${usages[@]%%[\[:]*}"
        count=$((count + 1))
    done < <(option_table | grep ';FORMAT$')
    [ "$count" -eq 4 ] || fail "$count options with a format"
    assert_offers "$1" 'sockcat --frame=net' netstring
    for usage in "${usages[@]}"; do
        case $usage in
        u32be* | varint* | octet-counting*)
            mapfile -t parameters < <(grep -oE ',[a-z]+=?' <<<"$usage")
            assert_offers "$1" "sockcat --frame ${usage%%[*}," "${parameters[@]/#/"${usage%%[*}"}"
            ;;
        esac
    done
}

values() {
    begin "$1"
    mapfile -t groups < <(getent group | cut -d: -f1)
    assert_offers "$1" 'sockcat -lU --group ' "${groups[@]}"
    assert_offers "$1" 'sockcat -lU --mode=' 0600 0660 0666
    assert_offers "$1" 'sockcat --pty=' raw
}

endpoints() {
    begin "$1"
    some_ports
    known_host zz-one '[::1]:2222'
    mapfile -t schemes < <("$SOCKCAT" zz://y 2>&1 | sed 's/.*expected//' | grep -oE '[a-z]+:(//)?')
    [ "${#schemes[@]}" -gt 3 ] || fail "the program knows: ${schemes[*]}"
    for scheme in "${schemes[@]}"; do
        assert_offers "$1" "sockcat ${scheme:0:2}" "$scheme"
    done
    assert_offers "$1" 'sockcat -l 9000 --to un' unix:
    assert_offers "$1" 'sockcat -l 9000 --to fd'
    for line in 'localhost:' 'tcp://localhost:' '[::1]:' '-l 9000 --to localhost:' '--to=udp://localhost:'; do
        assert_offers "$1" "sockcat ${line}ssh" "${ports[@]}"
    done
    assert_offers "$1" 'sockcat -l 9000 --to zz-' zz-one
    assert_offers "$1" 'sockcat udp://zz-' //zz-one
    assert_offers "$1" 'sockcat vsock://'
    assert_offers "$1" 'sockcat localhost:80 '
}

sockets() {
    begin "$1"
    mkdir folder
    touch file
    make_socket socket
    make_socket folder/inner
    for line in '-U ' '-lU ' 'unix:' '-l 9000 --to unix:' '--to=unix:'; do
        assert_offers "$1" "sockcat $line" folder socket
    done
    assert_offers "$1" 'sockcat --to=unix:folder/' folder/inner
    assert_offers "$1" 'sockcat unix:./s' ./socket
    # If there is none, any file.
    assert_offers "$1" 'sockcat -U fi' file
    assert_offers "$1" 'sockcat unix:fi' file
}

programs() {
    begin "$1"
    known_host zz-host
    mkdir bin
    touch file
    printf '#!/bin/sh\n' >bin/zz-program
    chmod +x bin/zz-program
    for line in '-l 9000' '-lp 9000' 'host 9000' 'host:9000' '-U path'; do
        PATH=$T/home/bin:$PATH assert_offers "$1" "sockcat $line -- zz-" zz-program
    done
    assert_offers "$1" 'sockcat host:9000 -- zz-program fi' file
    # Otherwise it only ends the options.
    PATH=$T/home/bin:$PATH assert_offers "$1" 'sockcat -l -- zz-' zz-host
    PATH=$T/home/bin:$PATH assert_offers "$1" 'sockcat -le cat 9000 -- zz-'
    PATH=$T/home/bin:$PATH assert_offers "$1" 'sockcat -z host 9000 -- zz-'
}

services() {
    begin "$1"
    mapfile -t names < <(service_names)
    [ "${#names[@]}" -gt 20 ] || skip "needs names of services"
    assert_offers "$1" 'sockcat --source-port ' "${names[@]}"
    assert_offers "$1" 'sockcat -p ' "${names[@]}"
    assert_offers "$1" 'sockcat localhost ' "${names[@]}"
    assert_offers "$1" 'sockcat -vw 3 localhost ' "${names[@]}"
}

interfaces() {
    begin "$1"
    mapfile -t names < <(python3 -c 'import socket; print(*(name for _, name in socket.if_nameindex()), sep="\n")')
    assert_offers "$1" 'sockcat --interface ' "${names[@]}"
}

users() {
    begin "$1"
    mapfile -t names < <(getent passwd | cut -d: -f1)
    assert_offers "$1" 'sockcat -lU --allow-uid ' "${names[@]}"
}

congestion() {
    begin "$1"
    available=/proc/sys/net/ipv4/tcp_available_congestion_control
    [ -r "$available" ] || skip "needs $available"
    read -ra names <"$available"
    assert_offers "$1" 'sockcat --congestion=' "${names[@]}"
}

known_hosts() {
    begin "$1"
    mkdir "$T/home/.ssh"
    key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB0zz'
    cat >"$T/home/.ssh/known_hosts" <<END
# zz-comment ssh-ed25519 AAAA
zz-one $key a comment
zz-two,zz-three.example,zz-four $key
[zz-port]:2222 $key
[zz-many]:22,zz-more $key
|1|zzpVd0XgMlTZHTNo8Vy3aT5OW9k=|zzGQ0XlTZ7V4QbcQpSmZgPbjaOk= $key
@revoked zz-marked $key
@cert-authority *.zz-all,!zz-not $key
zz-\$(touch\${IFS}hit) $key
zz-;touch $key
zz-broken
END
    assert_offers "$1" 'sockcat zz-' zz-one zz-two zz-three.example zz-four zz-port zz-many zz-more zz-marked
    assert_offers "$1" 'sockcat -s zz-o' zz-one
    [ ! -e hit ] || fail "a line of known_hosts was run"
}

etc_hosts() {
    begin "$1"
    [ ! -e /etc/ssh/ssh_known_hosts ] || skip "needs a system without its own known hosts"
    mapfile -t names < <(sed 's/#.*//' /etc/hosts | awk '{ $1 = "" } 1' | tr -s ' \t' '\n' | grep .)
    [ "${#names[@]}" -gt 0 ] || skip "needs names in /etc/hosts"
    # Operands may also be schemes.
    assert_offers "$1" 'sockcat ' "${names[@]}" tcp:// tls:// udp:// dtls:// unix: vsock:// fd://
}

listener() {
    begin "$1"
    known_host ssh-host.example
    some_ports
    assert_offers "$1" 'sockcat -l ssh' "${ports[@]}" ssh-host.example
    assert_offers "$1" 'sockcat -kvl ssh' "${ports[@]}" ssh-host.example
    assert_offers "$1" 'sockcat --listen localhost ssh' "${ports[@]}"
    assert_offers "$1" 'sockcat ssh' ssh-host.example
}

more_ports() {
    begin "$1"
    some_ports
    assert_offers "$1" 'sockcat -z localhost 22 ssh' "${ports[@]}"
    assert_offers "$1" 'sockcat localhost 22 --probe 80 ssh' "${ports[@]}"
    assert_offers "$1" 'sockcat localhost 22 ssh'
    assert_offers "$1" 'sockcat -l localhost 22 '
}

paths() {
    begin "$1"
    mkdir folder
    touch file 'two words'
    assert_offers "$1" 'sockcat -U ' folder
    assert_offers "$1" 'sockcat -lU ' folder
    assert_offers "$1" 'sockcat -lU tw' 'two words'
    assert_offers "$1" 'sockcat -Uvl f' folder
    assert_offers "$1" 'sockcat --unixsock -k fi' file
    assert_offers "$1" 'sockcat -U file '
    assert_offers "$1" 'sockcat -U -s fi' file
    # The letter is part of another option's value.
    assert_offers "$1" 'sockcat -ofileU fi'
}

files() {
    begin "$1"
    mkdir folder
    touch file 'two words'
    assert_offers "$1" 'sockcat --output ' file folder 'two words'
    assert_offers "$1" 'sockcat --output=' file folder 'two words'
    assert_offers "$1" 'sockcat --hex-dump fi' file
    assert_offers "$1" 'sockcat -vo ' file folder 'two words'
}

commands() {
    begin "$1"
    mkdir bin
    printf '#!/bin/sh\n' >bin/zz-program
    chmod +x bin/zz-program
    for line in '-e ' '-le ' '--exec ' '--exec='; do
        PATH=$T/home/bin:$PATH assert_offers "$1" "sockcat ${line}zz-" zz-program
    done
    assert_offers "$1" 'sockcat -c zz-'
}

redirection() {
    begin "$1"
    touch file
    assert_offers "$1" 'sockcat localhost 22 < fi' file
    assert_offers "$1" 'sockcat localhost > fi' file
    # What is redirected is no operand.
    known_host zz-one
    assert_offers "$1" 'sockcat < file zz-' zz-one
}

no_nonsense() {
    begin "$1"
    touch file
    for line in '--wait ' '--wait=' '-w ' '-vw ' '--ttl ' '--mark=' '--rcvbuf ' '--join ' '--ready-fd ' '--sockopt '; do
        assert_offers "$1" "sockcat $line"
    done
    assert_offers "$1" 'sockcat --no-such-option'
    assert_offers "$1" 'sockcat --vsock '
}

end_of_options() {
    begin "$1"
    touch -- -file
    # fish also offers hosts that have a '-' somewhere.
    assert_equal "$(offers "$1" 'sockcat -- -' | grep '^-')" ""
    assert_offers "$1" 'sockcat -U -- -' -file
    # What looks like one is an operand.
    some_ports
    assert_offers "$1" 'sockcat -- -k ssh' "${ports[@]}"
    assert_offers "$1" 'sockcat -- -U 22 '
}

given() {
    begin "$1"
    assert_offers "$1" 'sockcat --listen --liste'
    assert_offers "$1" 'sockcat -kl --liste'
    assert_offers "$1" 'sockcat localhost --idle-timeout 3 --idl'
    # What the one excludes, from either side.
    assert_offers "$1" 'sockcat -4 --ip'
    assert_offers "$1" 'sockcat -6 --ip'
    # What may be repeated.
    assert_offers "$1" 'sockcat -v --verb' --verbose
    assert_offers "$1" 'sockcat -u --join 224.0.0.1 --joi' --join
}

@test "bash: every long option of the table is offered, and nothing else" { long_options bash; }
@test "zsh: every long option of the table is offered, and nothing else" { long_options zsh; }
@test "fish: every long option of the table is offered, and nothing else" { long_options fish; }

@test "zsh: the options are listed under the title of their topic" {
    begin zsh
    mkdir "$T/logged"
    # shellcheck disable=SC2016 # for zsh
    sed '1a compadd() { print -r -- "$@" >>"$HOME/calls"; builtin compadd "$@"; }' "$ROOT/completions/_sockcat" >"$T/logged/_sockcat"
    COMPLETIONS=$T/logged offers zsh 'sockcat --' >/dev/null
    sed -nE 's/.* -X %B(.*)%b .* (--[a-z0-9-]+)$/\1;\2/p' calls | sort >"$T/got"
    awk -F ';' 'NR == FNR { title[$1] = $2; next } $2 != "" { print title[$1] ";--" $2 }' \
        <(table_rows "$ROOT/src/cli/options.def" '#define GROUP(id, topic, title) @row@ id;title') \
        <(table_rows "$ROOT/src/cli/options.def" \
            '#define OPTION(id, name, letter, type, argument, min, max, group, ...) @row@ group;name') | sort >"$T/wanted"
    assert_same "$T/got" "$T/wanted"
}

@test "zsh: every letter of the table is offered" { letters zsh; }
@test "fish: every letter of the table is offered" { letters fish; }

@test "bash: the options that have only a letter are offered by it" {
    begin bash
    mapfile -t names < <(spellings)
    assert_offers bash 'sockcat -' "${names[@]}"
}

@test "fish: every option is described by its help line" {
    begin fish
    offers fish 'sockcat --' >/dev/null
    cp "$T/ask.out" "$T/names"
    offers fish 'sockcat -' >/dev/null
    cat "$T/names" "$T/ask.out" | grep -vF -e '=' | LC_ALL=C sort -u >"$T/got"
    # The help may have ';', '@' and quotes in it: it stands alone, and is last.
    printf '%s\n#include "%s"\n' '#define OPTION(id, name, letter, a, b, c, d, e, f, g, h, i, j, k, help) @row@ name;letter;help' \
        "$ROOT/src/cli/options.def" | cc -E -P -x c - | tr '\n' ' ' | sed 's/@row@/\n/g' |
        sed -nE 's/^ *"([^"]*)";('\''(.)'\''|0);"(.*)" *$/\1;\3;\4/p' |
        awk -F ';' '{ help = substr($0, length($1 $2) + 3) }
            $1 != "" { print "--" $1 "\t" help }
            $2 != "" { print "-" $2 "\t" help }' | grep -vF -e '=' | LC_ALL=C sort -u >"$T/wanted"
    assert_same "$T/got" "$T/wanted"
}

@test "bash: the words of an option, after a space and after '='" { words bash; }
@test "zsh: the words of an option, after a space and after '='" { words zsh; }
@test "fish: the words of an option, after a space and after '='" { words fish; }

@test "bash: the topics of --help" { topics bash; }
@test "zsh: the topics of --help" { topics zsh; }
@test "fish: the topics of --help" { topics fish; }

@test "bash: the message formats that --list-formats prints" { formats bash; }
@test "zsh: the message formats that --list-formats prints" { formats zsh; }
@test "fish: the message formats that --list-formats prints" { formats fish; }

@test "bash: groups, permissions and the mode of a terminal" { values bash; }
@test "zsh: groups, permissions and the mode of a terminal" { values zsh; }
@test "fish: groups, permissions and the mode of a terminal" { values fish; }

@test "bash: endpoints in one word: schemes, hosts and ports" { endpoints bash; }
@test "zsh: endpoints in one word: schemes, hosts and ports" { endpoints zsh; }
@test "fish: endpoints in one word: schemes, hosts and ports" { endpoints fish; }

@test "bash: with -U and after unix: sockets and directories come first" { sockets bash; }
@test "zsh: with -U and after unix: sockets and directories come first" { sockets zsh; }
@test "fish: with -U and after unix: sockets and directories come first" { sockets fish; }

@test "bash: after a complete endpoint -- begins a program" { programs bash; }
@test "zsh: after a complete endpoint -- begins a program" { programs zsh; }
@test "fish: after a complete endpoint -- begins a program" { programs fish; }

@test "bash: the names for --tos" { tos bash; }
@test "zsh: the names for --tos" { tos zsh; }
@test "fish: the names for --tos" { tos fish; }

@test "bash: a port is a service" { services bash; }
@test "zsh: a port is a service" { services zsh; }
@test "fish: a port is a service" { services fish; }

@test "bash: the network interfaces" { interfaces bash; }
@test "zsh: the network interfaces" { interfaces zsh; }
@test "fish: the network interfaces" { interfaces fish; }

@test "bash: the users" { users bash; }
@test "zsh: the users" { users zsh; }
@test "fish: the users" { users fish; }

@test "bash: the kernel's congestion controls" { congestion bash; }
@test "zsh: the kernel's congestion controls" { congestion zsh; }
@test "fish: the kernel's congestion controls" { congestion fish; }

@test "bash: the hosts that ssh knows, but hashes, patterns and what a shell would run" { known_hosts bash; }
@test "zsh: the hosts that ssh knows, but hashes, patterns and what a shell would run" { known_hosts zsh; }
@test "fish: the hosts that ssh knows, but hashes, patterns and what a shell would run" { known_hosts fish; }

@test "bash: the names of /etc/hosts" { etc_hosts bash; }
@test "zsh: the names of /etc/hosts" { etc_hosts zsh; }
@test "fish: the names of /etc/hosts" { etc_hosts fish; }

@test "bash: the only operand of a listener may be its port" { listener bash; }
@test "zsh: the only operand of a listener may be its port" { listener zsh; }
@test "fish: the only operand of a listener may be its port" { listener fish; }

@test "bash: only -z takes more than one port" { more_ports bash; }
@test "zsh: only -z takes more than one port" { more_ports zsh; }
@test "fish: only -z takes more than one port" { more_ports fish; }

@test "bash: with -U, alone or among letters, the operand is a path" { paths bash; }
@test "zsh: with -U, alone or among letters, the operand is a path" { paths zsh; }
@test "fish: with -U, alone or among letters, the operand is a path" { paths fish; }

@test "bash: the options that name a file" { files bash; }
@test "zsh: the options that name a file" { files zsh; }
@test "fish: the options that name a file" { files fish; }

@test "bash: a program is one that can be run" { commands bash; }
@test "zsh: a program is one that can be run" { commands zsh; }
@test "fish: a program is one that can be run" { commands fish; }

@test "bash: a redirection names a file and is no operand" { redirection bash; }
@test "zsh: a redirection names a file and is no operand" { redirection zsh; }
@test "fish: a redirection names a file and is no operand" { redirection fish; }

@test "bash: where anything may stand nothing is offered" { no_nonsense bash; }
@test "zsh: where anything may stand nothing is offered" { no_nonsense zsh; }
@test "fish: where anything may stand nothing is offered" { no_nonsense fish; }

@test "bash: after -- there are no options" { end_of_options bash; }
@test "zsh: after -- there are no options" { end_of_options zsh; }
@test "fish: after -- there are no options" { end_of_options fish; }

@test "bash: what cannot follow is not offered" { given bash; }
@test "zsh: what cannot follow is not offered" { given zsh; }
@test "fish: what cannot follow is not offered" { given fish; }

@test "bash: a word may be quoted" {
    begin bash
    touch 'two words'
    assert_offers bash 'sockcat -U "tw' 'two words'
    assert_offers bash 'sockcat --output="tw' 'two words'
}

@test "completions: what is written to standard error would be noticed" {
    begin bash
    need fish
    mkdir "$T/noisy"
    { cat "$ROOT/completions/sockcat.bash"; echo '_sockcat_words() { echo oops >&2; words=(sockcat --); }'; } >"$T/noisy/sockcat.bash"
    { cat "$ROOT/completions/sockcat.fish"; echo 'function __sockcat_operand; echo oops >&2; end'; } >"$T/noisy/sockcat.fish"
    for shell in bash fish; do
        COMPLETIONS=$T/noisy run offers "$shell" 'sockcat '
        assert_status 1
        [[ $output == *oops* ]] || fail "$shell: $output"
    done
}

@test "completions: the shells' own checkers and shellcheck find nothing" {
    need bash zsh fish shellcheck
    bash -n "$ROOT/completions/sockcat.bash"
    zsh -n "$ROOT/completions/_sockcat"
    fish -n "$ROOT/completions/sockcat.fish"
    shellcheck "$ROOT/completions/sockcat.bash" "$HELPER_DIR/complete_helper.bash"
}
