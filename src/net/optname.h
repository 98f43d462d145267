/*
 * Names of socket options: all that a user may name in LEVEL:NAME:VALUE, and a number for those
 * that this system does not have.
 */
#ifndef SOCKCAT_NET_OPTNAME_H
#define SOCKCAT_NET_OPTNAME_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/fault.h"

/* The number of an option that this system does not have; no option has it. */
#define OPTNAME_MISSING (-1)

#ifndef SO_BINDTODEVICE
#define SO_BINDTODEVICE OPTNAME_MISSING
#endif
#ifndef SO_BUSY_POLL
#define SO_BUSY_POLL OPTNAME_MISSING
#endif
#ifndef SO_INCOMING_CPU
#define SO_INCOMING_CPU OPTNAME_MISSING
#endif
#ifndef SO_MARK
#define SO_MARK OPTNAME_MISSING
#endif
#ifndef SO_MAX_PACING_RATE
#define SO_MAX_PACING_RATE OPTNAME_MISSING
#endif
#ifndef SO_PRIORITY
#define SO_PRIORITY OPTNAME_MISSING
#endif
#ifndef SO_RCVBUFFORCE
#define SO_RCVBUFFORCE OPTNAME_MISSING
#endif
#ifndef SO_REUSEPORT
#define SO_REUSEPORT OPTNAME_MISSING
#endif
#ifndef SO_SNDBUFFORCE
#define SO_SNDBUFFORCE OPTNAME_MISSING
#endif
#ifndef SO_TIMESTAMP
#define SO_TIMESTAMP OPTNAME_MISSING
#endif
#ifndef SO_TXTIME
#define SO_TXTIME OPTNAME_MISSING
#endif
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY OPTNAME_MISSING
#endif
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT OPTNAME_MISSING
#endif
#ifndef IP_FREEBIND
#define IP_FREEBIND OPTNAME_MISSING
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE OPTNAME_MISSING
#endif
#ifndef IP_MINTTL
#define IP_MINTTL OPTNAME_MISSING
#endif
#ifndef IP_MTU_DISCOVER
#define IP_MTU_DISCOVER OPTNAME_MISSING
#endif
#ifndef IP_MULTICAST_ALL
#define IP_MULTICAST_ALL OPTNAME_MISSING
#endif
#ifndef IP_MULTICAST_IF
#define IP_MULTICAST_IF OPTNAME_MISSING
#endif
#ifndef IP_MULTICAST_LOOP
#define IP_MULTICAST_LOOP OPTNAME_MISSING
#endif
#ifndef IP_MULTICAST_TTL
#define IP_MULTICAST_TTL OPTNAME_MISSING
#endif
#ifndef IP_PKTINFO
#define IP_PKTINFO OPTNAME_MISSING
#endif
#ifndef IP_RECVERR
#define IP_RECVERR OPTNAME_MISSING
#endif
#ifndef IP_RECVTTL
#define IP_RECVTTL OPTNAME_MISSING
#endif
#ifndef IP_TOS
#define IP_TOS OPTNAME_MISSING
#endif
#ifndef IP_TRANSPARENT
#define IP_TRANSPARENT OPTNAME_MISSING
#endif
#ifndef IP_TTL
#define IP_TTL OPTNAME_MISSING
#endif
#ifndef IPV6_AUTOFLOWLABEL
#define IPV6_AUTOFLOWLABEL OPTNAME_MISSING
#endif
#ifndef IPV6_DONTFRAG
#define IPV6_DONTFRAG OPTNAME_MISSING
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND OPTNAME_MISSING
#endif
#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT OPTNAME_MISSING
#endif
#ifndef IPV6_MTU
#define IPV6_MTU OPTNAME_MISSING
#endif
#ifndef IPV6_MTU_DISCOVER
#define IPV6_MTU_DISCOVER OPTNAME_MISSING
#endif
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL OPTNAME_MISSING
#endif
#ifndef IPV6_RECVERR
#define IPV6_RECVERR OPTNAME_MISSING
#endif
#ifndef IPV6_TCLASS
#define IPV6_TCLASS OPTNAME_MISSING
#endif
#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT OPTNAME_MISSING
#endif
#ifndef TCP_CONGESTION
#define TCP_CONGESTION OPTNAME_MISSING
#endif
#ifndef TCP_CORK
#define TCP_CORK OPTNAME_MISSING
#endif
#ifndef TCP_DEFER_ACCEPT
#define TCP_DEFER_ACCEPT OPTNAME_MISSING
#endif
#ifndef TCP_FASTOPEN
#define TCP_FASTOPEN OPTNAME_MISSING
#endif
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT OPTNAME_MISSING
#endif
#ifndef TCP_KEEPCNT
#define TCP_KEEPCNT OPTNAME_MISSING
#endif
#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE OPTNAME_MISSING
#endif
#ifndef TCP_KEEPINTVL
#define TCP_KEEPINTVL OPTNAME_MISSING
#endif
#ifndef TCP_LINGER2
#define TCP_LINGER2 OPTNAME_MISSING
#endif
#ifndef TCP_MAXSEG
#define TCP_MAXSEG OPTNAME_MISSING
#endif
#ifndef TCP_NOTSENT_LOWAT
#define TCP_NOTSENT_LOWAT OPTNAME_MISSING
#endif
#ifndef TCP_QUICKACK
#define TCP_QUICKACK OPTNAME_MISSING
#endif
#ifndef TCP_SYNCNT
#define TCP_SYNCNT OPTNAME_MISSING
#endif
#ifndef TCP_THIN_LINEAR_TIMEOUTS
#define TCP_THIN_LINEAR_TIMEOUTS OPTNAME_MISSING
#endif
#ifndef TCP_TX_DELAY
#define TCP_TX_DELAY OPTNAME_MISSING
#endif
#ifndef TCP_USER_TIMEOUT
#define TCP_USER_TIMEOUT OPTNAME_MISSING
#endif
#ifndef TCP_WINDOW_CLAMP
#define TCP_WINDOW_CLAMP OPTNAME_MISSING
#endif
#ifndef UDP_CORK
#define UDP_CORK OPTNAME_MISSING
#endif
#ifndef UDP_GRO
#define UDP_GRO OPTNAME_MISSING
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT OPTNAME_MISSING
#endif

struct optname {
	int level, option;
	int number;
	const char *text; /* not owned; NULL: the value is the number */
};

/*
 * "LEVEL:NAME:VALUE": the level is SOCKET, IP, IPV6, TCP, UDP or a number; the name is one of the
 * level's, with or without its prefix (SO_, IP_ …), or a number; the value is a number, or else a
 * text. parsed->text points into the text. Status 3, or 4 for a name that this system does not
 * have.
 */
bool optname_parse(struct optname *parsed, const char *text, struct fault *fault);

#endif
