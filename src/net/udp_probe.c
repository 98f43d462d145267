/*
 * Requests of UDP services; see udp_probe.h.
 *
 * Without a row: services that never answer a stranger (syslog, WireGuard), that answer from
 * another port (TFTP), that would do something (DHCP), or whose answer is large (chargen, CLDAP).
 */
#include "net/udp_probe.h"

#include <stdbool.h>
#include <string.h>

struct udp_probe_row {
	uint16_t port;
	const char *bytes; /* the request, or its beginning: zeros follow */
	size_t given;      /* the length of `bytes` */
	size_t length;     /* of the request */
	/* The random bytes: where they are and their number, or, if `text` is set, each
	 * UDP_PROBE_LETTER is replaced by a random letter. */
	size_t random_at, random_length;
	bool text;
};

#define UDP_PROBE_LETTER '%'

#define UDP_PROBE_BYTES(bytes) (bytes), sizeof(bytes) - 1, sizeof(bytes) - 1
#define UDP_PROBE_PADDED(bytes, length) (bytes), sizeof(bytes) - 1, (length)

/* In the order of the ports; the rows of a port are sent together. */
static const struct udp_probe_row udp_probe_rows[] = {
	/* Echo, RFC 862: returns any datagram. */
	{ 7, UDP_PROBE_BYTES("sockcat\n"), 0, 0, false },

	/* Daytime, RFC 867, quote of the day, RFC 865, and time, RFC 868: answer any datagram. */
	{ 13, UDP_PROBE_BYTES("\n"), 0, 0, false },
	{ 17, UDP_PROBE_BYTES("\n"), 0, 0, false },
	{ 37, UDP_PROBE_BYTES("\n"), 0, 0, false },

	/* DNS, RFC 1035, 4.1: id; flags: a query without recursion; one question: SOA of the root,
	 * class IN. */
	{ 53,
		UDP_PROBE_BYTES("\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				"\x00\x00\x06\x00\x01"),
		0, 2, false },

	/* rpcbind, RFC 5531, 9, and RFC 1833, 3: xid; a call of RPC version 2: program 100000,
	 * version 2, procedure 0 (null); credentials and verifier AUTH_NONE. */
	{ 111,
		UDP_PROBE_BYTES("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"
				"\x00\x01\x86\xa0\x00\x00\x00\x02\x00\x00\x00\x00"
				"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		0, 4, false },

	/* NTP, RFC 5905, 7.3: version 4, mode 3 (client); the transmit timestamp is random. */
	{ 123, UDP_PROBE_PADDED("\x23", 48), 40, 8, false },

	/* NetBIOS name service, RFC 1002, 4.2.17: id; a node status request for the name "*"
	 * (padded with zeros and encoded as in RFC 1001, 14.1), type NBSTAT, class IN. */
	{ 137,
		UDP_PROBE_BYTES("\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				"\x20"
				"CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
				"\x00\x00\x21\x00\x01"),
		0, 2, false },

	/* SNMP, RFC 1157, 4 (version 1) and RFC 3416, 3 (version 2c): get sysDescr.0 with the
	 * community "public". The first byte of the request's number is constant, so that its
	 * encoding is always the shortest. */
	{ 161,
		UDP_PROBE_BYTES("\x30\x29\x02\x01\x01\x04\x06"
				"public"
				"\xa0\x1c\x02\x04\x2a\x00\x00\x00\x02\x01\x00\x02\x01\x00"
				"\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00\x05\x00"),
		18, 3, false },
	{ 161,
		UDP_PROBE_BYTES("\x30\x29\x02\x01\x00\x04\x06"
				"public"
				"\xa0\x1c\x02\x04\x2b\x00\x00\x00\x02\x01\x00\x02\x01\x00"
				"\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00\x05\x00"),
		18, 3, false },
	/* Version 3, RFC 3412, 6, and RFC 3414, 2.4 and 4: a get without a name or authentication,
	 * which asks for the engine's id. It needs no community. */
	{ 161,
		UDP_PROBE_BYTES("\x30\x3e\x02\x01\x03"
				"\x30\x11\x02\x04\x2c\x00\x00\x00\x02\x03\x00\xff\xe3\x04\x01\x04"
				"\x02\x01\x03"
				"\x04\x10\x30\x0e\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00"
				"\x04\x00"
				"\x30\x14\x04\x00\x04\x00\xa0\x0e\x02\x04\x2c\x00\x00\x00\x02\x01"
				"\x00\x02\x01\x00\x30\x00"),
		10, 3, false },

	/* QUIC, RFC 8999, 5.1, and RFC 9000, 6 and 14.1: a long header of a version that forces
	 * negotiation; an unpredictable destination of 8 bytes, and no source. Servers ignore fewer
	 * than 1200 bytes. */
	{ 443, UDP_PROBE_PADDED("\xc0\x1a\x2a\x3a\x4a\x08", 1200), 6, 8, false },

	/* RMCP (IPMI), DMTF DSP0136, 3.2.4.2: version 6, no acknowledgement, class ASF; a presence
	 * ping without data. */
	{ 623, UDP_PROBE_BYTES("\x06\x00\xff\x06\x00\x00\x11\xbe\x80\x00\x00\x00"), 0, 0, false },

	/* SSDP, UPnP Device Architecture 2.0, 1.3.2: a search for root devices. */
	{ 1900,
		UDP_PROBE_BYTES("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
				"MAN: \"ssdp:discover\"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n"),
		0, 0, false },

	/* STUN, RFC 8489, 5: a binding request without attributes, magic cookie, transaction id. */
	{ 3478, UDP_PROBE_PADDED("\x00\x01\x00\x00\x21\x12\xa4\x42", 20), 8, 12, false },

	/* SIP, RFC 3261, 11, and RFC 3581: OPTIONS that no proxy forwards, answered to its source.
	 */
	{ 5060,
		UDP_PROBE_BYTES(
			"OPTIONS sip:sockcat.invalid SIP/2.0\r\n"
			"Via: SIP/2.0/UDP sockcat.invalid;branch=z9hG4bK%%%%%%%%%%%%;rport\r\n"
			"Max-Forwards: 0\r\n"
			"From: <sip:probe@sockcat.invalid>;tag=%%%%%%%%%%%%\r\n"
			"To: <sip:sockcat.invalid>\r\n"
			"Call-ID: %%%%%%%%%%%%@sockcat.invalid\r\n"
			"CSeq: 1 OPTIONS\r\n"
			"Content-Length: 0\r\n\r\n"),
		0, 0, true },

	/* NAT-PMP, RFC 6886, 3.2: version 0, asks for the external address. */
	{ 5351, UDP_PROBE_BYTES("\x00\x00"), 0, 0, false },

	/* mDNS, RFC 6762, 5.1 and 6.7, and RFC 6763, 9: from a port other than 5353, so that the
	 * answer is sent back; the types of all services, PTR, class IN. */
	{ 5353,
		UDP_PROBE_BYTES("\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				"\x09_services\x07_dns-sd\x04_udp\x05"
				"local"
				"\x00\x00\x0c\x00\x01"),
		0, 2, false },

	/* CoAP, RFC 7252, 4.3: an empty confirmable message, which is answered by a reset. */
	{ 5683, UDP_PROBE_BYTES("\x40\x00\x00\x00"), 2, 2, false },

	/* memcached, doc/protocol.txt: id, datagram 0 of 1, reserved; then the command. */
	{ 11211, UDP_PROBE_BYTES("\x00\x00\x00\x00\x00\x01\x00\x00version\r\n"), 0, 2, false },
};

#define UDP_PROBE_ROWS (sizeof udp_probe_rows / sizeof udp_probe_rows[0])

/* The first row of the port, or the number of rows. */
static size_t
udp_probe_find(uint16_t port)
{
	size_t row = 0;
	while (row < UDP_PROBE_ROWS && udp_probe_rows[row].port != port)
		row++;
	return row;
}

size_t
udp_probe_count(uint16_t port)
{
	size_t first = udp_probe_find(port), end = first;
	while (end < UDP_PROBE_ROWS && udp_probe_rows[end].port == port)
		end++;
	return end > first ? end - first : 1;
}

/* Replaces each UDP_PROBE_LETTER. */
static void
udp_probe_put_letters(unsigned char *out, size_t length, const unsigned char *random)
{
	size_t put = 0;
	for (size_t i = 0; i < length; i++)
		if (out[i] == UDP_PROBE_LETTER)
			out[i] = (unsigned char)('a' + random[put++ % UDP_PROBE_RANDOM] % 16);
}

size_t
udp_probe_write(uint16_t port, size_t i, const unsigned char random[static UDP_PROBE_RANDOM],
	unsigned char out[static UDP_PROBE_MAX])
{
	size_t first = udp_probe_find(port);
	if (first == UDP_PROBE_ROWS)
		return 0;
	const struct udp_probe_row *row = &udp_probe_rows[first + i];
	memcpy(out, row->bytes, row->given);
	memset(out + row->given, 0, row->length - row->given);
	if (row->text)
		udp_probe_put_letters(out, row->length, random);
	else
		memcpy(out + row->random_at, random, row->random_length);
	return row->length;
}
