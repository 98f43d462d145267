/* Frame formats: known answers from their specifications, encoded and decoded, however split; what
 * is rejected, and where (faults K125 to K131). */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "framing.h"

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1
#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define TEN "0123456789"
/* Bytes 1 to 254 without NUL, in pieces of ten. */
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* The marker of BGP: 16 times 255. */
#define MARKER "\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377"

enum { STRICT = 1, ESCAPE = 2, SHORT_LAST = 4 };

static void
frame_test_parse(struct frame *frame, const char *text, size_t max, int flags)
{
	struct fault fault = FAULT_NONE;
	CHECK(frame_parse(frame, text, max, &fault));
	frame->strict = (flags & STRICT) != 0;
	frame->escape = (flags & ESCAPE) != 0;
	frame->short_last = (flags & SHORT_LAST) != 0;
}

/* A message and its frame. */
static const struct {
	const char *text;
	int flags;
	const unsigned char *message;
	size_t length;
	const unsigned char *wire;
	size_t size;
} frame_test_known[] = {
	{ "line", 0, BYTES("hello\r"), BYTES("hello\r\n") },
	{ "line", 0, BYTES(""), BYTES("\n") },
	{ "crlf", 0, BYTES("a\rb\nc\r"), BYTES("a\rb\nc\r\r\n") },
	{ "nul", 0, BYTES("a\nb"), BYTES("a\nb\0") },
	{ "delim:\\r\\n.\\r\\n", 0, BYTES("a\r\n.\r"), BYTES("a\r\n.\r\r\n.\r\n") },
	{ "delim:,:", 0, BYTES("a,b:"), BYTES("a,b:,:") },
	{ "line", ESCAPE, BYTES("a\nb\\\r"), BYTES("a\\nb\\\\\r\n") },
	{ "crlf", ESCAPE, BYTES("a\r\nb\n"), BYTES("a\\r\\nb\\n\r\n") },
	{ "nul", ESCAPE, BYTES("a\0000"), BYTES("a\\00\0") },
	{ "delim:;", ESCAPE, BYTES("a;\tb"), BYTES("a\\x3b\tb;") },
	{ "fixed:3", 0, BYTES("abc"), BYTES("abc") },
	{ "fixed:4,pad=0x20", 0, BYTES("abcd"), BYTES("abcd") },
	{ "u8", 0, BYTES("hello"), BYTES("\5hello") },
	{ "u16be", 0, BYTES("hello"), BYTES("\0\5hello") },
	{ "u16le", 0, BYTES("hello"), BYTES("\5\0hello") },
	{ "u32be", 0, BYTES("hello"), BYTES("\0\0\0\5hello") },
	{ "u32le", 0, BYTES("hello"), BYTES("\5\0\0\0hello") },
	{ "u64be", 0, BYTES("hello"), BYTES("\0\0\0\0\0\0\0\5hello") },
	{ "u64le", 0, BYTES("hello"), BYTES("\5\0\0\0\0\0\0\0hello") },
	{ "u16be", 0, BYTES(HUNDRED HUNDRED HUNDRED), BYTES("\1\54" HUNDRED HUNDRED HUNDRED) },
	{ "u32be,inclusive", 0, BYTES("hello"), BYTES("\0\0\0\11hello") },
	{ "u32be,inclusive", 0, BYTES(""), BYTES("\0\0\0\4") },
	{ "u16le,add=4", 0, BYTES("hello"), BYTES("\11\0hello") },
	{ "u16be,add=-1,inclusive", 0, BYTES("hello"), BYTES("\0\6hello") },
	{ "u8,add=-1", 0, BYTES("hello"), BYTES("\4hello") },
	/* MySQL client/server protocol, "COM_QUIT": the length does not count the sequence number.
	 */
	{ "u24le,add=-1", 0, BYTES("\0\1"), BYTES("\1\0\0\0\1") },
	{ "u24be", 0, BYTES("hello"), BYTES("\0\0\5hello") },
	/* PostgreSQL, "Message Formats": Terminate, and a query. */
	{ "u32be,inclusive,offset=1", 0, BYTES("X"), BYTES("X\0\0\0\4") },
	{ "u32be,inclusive,offset=1", 0, BYTES("Qselect 1\0"), BYTES("Q\0\0\0\15select 1\0") },
	/* RFC 4271, 4.4: KEEPALIVE */
	{ "u16be,inclusive,offset=16,add=16", 0, BYTES(MARKER "\4"), BYTES(MARKER "\0\23\4") },
	/* AUTOSAR SOME/IP: the message ID, the length of the rest, the request ID and four bytes.
	 */
	{ "u32be,offset=4", 0, BYTES("\x12\x34\0\1\0\0\0\1\1\1\0\0"),
		BYTES("\x12\x34\0\1\0\0\0\10\0\0\0\1\1\1\0\0") },
	/* MQTT 3.1.1, 3.12 and 3.3: PINGREQ, and PUBLISH to "a" */
	{ "varint,offset=1", 0, BYTES("\xc0"), BYTES("\xc0\0") },
	{ "varint,offset=1", 0, BYTES("\x30\0\1ahello"), BYTES("\x30\10\0\1ahello") },
	/* Protocol Buffers, "Encoding": 150 is 96 01; and 300 is ac 02. */
	{ "varint", 0, BYTES("x"), BYTES("\1x") },
	{ "varint", 0, BYTES(""), BYTES("\0") },
	{ "varint", 0, BYTES(HUNDRED TEN TEN TEN TEN TEN),
		BYTES("\x96\1" HUNDRED TEN TEN TEN TEN TEN) },
	{ "varint", 0, BYTES(HUNDRED HUNDRED HUNDRED), BYTES("\xac\2" HUNDRED HUNDRED HUNDRED) },
	/* D. J. Bernstein, "Netstrings" */
	{ "netstring", 0, BYTES("hello world!"), BYTES("12:hello world!,") },
	{ "netstring", 0, BYTES(""), BYTES("0:,") },
	/* RFC 6587, 3.4.1 */
	{ "octet-counting", 0, BYTES("<34>1 - - - - - -"), BYTES("17 <34>1 - - - - - -") },
	{ "octet-counting", 0, BYTES(""), BYTES("0 ") },
	/* Language Server Protocol, "Base Protocol" */
	{ "content-length", 0, BYTES("{\"jsonrpc\":\"2.0\"}"),
		BYTES("Content-Length: 17\r\n\r\n{\"jsonrpc\":\"2.0\"}") },
	/* RFC 1055 */
	{ "slip", 0, BYTES("a\xc0\xdb\xdc\xdd"), BYTES("a\xdb\xdc\xdb\xdd\xdc\xdd\xc0") },
	/* Cheshire and Baker, figure 3, whose last code is that of the NUL after the packet */
	{ "cobs", 0, BYTES("E\0\0,L\x79\0\0@\6O7"), BYTES("\2E\1\4,L\x79\1\5@\6O7\0") },
	{ "cobs", 0, BYTES(""), BYTES("\1\0") },
	{ "cobs", 0, BYTES("\0"), BYTES("\1\1\0") },
	{ "cobs", 0, BYTES("\0\0"), BYTES("\1\1\1\0") },
	{ "cobs", 0, BYTES("\x11\x22\0\x33"), BYTES("\3\x11\x22\2\x33\0") },
	{ "cobs", 0, BYTES("\x11\0\0\0"), BYTES("\2\x11\1\1\1\0") },
	{ "cobs", 0, BYTES(HUNDRED HUNDRED TEN TEN TEN TEN TEN "1234"),
		BYTES("\xff" HUNDRED HUNDRED TEN TEN TEN TEN TEN "1234\0") },
	{ "cobs", 0, BYTES(HUNDRED HUNDRED TEN TEN TEN TEN TEN "1234\0"),
		BYTES("\xff" HUNDRED HUNDRED TEN TEN TEN TEN TEN "1234\1\1\0") },
	{ "cobs", 0, BYTES(HUNDRED HUNDRED TEN TEN TEN TEN TEN "12345"),
		BYTES("\xff" HUNDRED HUNDRED TEN TEN TEN TEN TEN "1234\2"
		      "5\0") },
	{ "hex", 0, BYTES("\0\x9f\xff"), BYTES("009fff\n") },
	{ "hex", 0, BYTES("foobar"), BYTES("666f6f626172\n") },
	{ "hex", 0, BYTES(""), BYTES("\n") },
	/* RFC 4648, 10 */
	{ "base64", 0, BYTES(""), BYTES("\n") },
	{ "base64", 0, BYTES("f"), BYTES("Zg==\n") },
	{ "base64", 0, BYTES("fo"), BYTES("Zm8=\n") },
	{ "base64", 0, BYTES("foo"), BYTES("Zm9v\n") },
	{ "base64", 0, BYTES("foob"), BYTES("Zm9vYg==\n") },
	{ "base64", 0, BYTES("fooba"), BYTES("Zm9vYmE=\n") },
	{ "base64", 0, BYTES("foobar"), BYTES("Zm9vYmFy\n") },
	{ "base64", 0, BYTES("\x14\xfb\x9c\x03\xd9\x7e"), BYTES("FPucA9l+\n") },
	{ "json", 0, BYTES("a\n\"\\\0\37\xc3\xbc"),
		BYTES("{\"time\":\"2026-11-25T10:10:48.123456Z\",\"from\":\"stdin\",\"text\":"
		      "\"a\\n\\\"\\\\\\u0000\\u001F\xc3\xbc\"}\n") },
	{ "json", 0, BYTES("\xff\0"),
		BYTES("{\"time\":\"2026-11-25T10:10:48.123456Z\",\"from\":\"stdin\",\"base64\":"
		      "\"/wA=\"}\n") },
	{ "json", 0, BYTES("\xed\xa0\x80"),
		BYTES("{\"time\":\"2026-11-25T10:10:48.123456Z\",\"from\":\"stdin\",\"base64\":"
		      "\"7aCA\"}\n") },
	{ "datagram", 0, BYTES("a\0b\n"), BYTES("a\0b\n") },
};

/* A peer's bytes, with max 20, and the decoded messages and end. */
static const struct {
	const char *text;
	int flags;
	const unsigned char *wire;
	size_t size;
	const char *wanted;
} frame_test_peer[] = {
	/* RFC 6587, 3.4.3, and what rsyslog accepts between frames */
	{ "octet-counting,lenient", 0, BYTES("3 abc<34>x\r\n\n\r\n\0004 a\nb\n<9>y"),
		"[abc][<34>x][a\\x0ab\\x0a][<9>y]" },
	{ "octet-counting,lenient", STRICT, BYTES("3 abc\n<9>y"), "[abc]cut@6" },
	{ "octet-counting,lenient", 0, BYTES("<" TEN TEN "\n"), "bad@20" },
	{ "octet-counting,lenient", 0, BYTES("<012345678" TEN "\r\n1 a"),
		"[<012345678" TEN "][a]" },
	{ "octet-counting,lenient", 0, BYTES("<012345678" TEN "\rx\n"), "bad@21" },
	{ "octet-counting,lenient", 0, BYTES("\r"), "[\\x0d]" },
	{ "octet-counting,lenient", 0, BYTES("<012345678" TEN "\r"), "bad@21" },
	{ "octet-counting,lenient", 0, BYTES("2026-11-28\n"), "bad@2" },
	{ "line", 0, BYTES("a\n\nb"), "[a][][b]" },
	{ "line", STRICT, BYTES("a\n\nb"), "[a][]cut@3" },
	{ "line", 0, BYTES(TEN TEN "\nx\n"), "[" TEN TEN "][x]" },
	{ "line", 0, BYTES(TEN TEN "x\n"), "bad@20" },
	{ "line", 0, BYTES(TEN TEN), "[" TEN TEN "]" },
	{ "line", 0, BYTES(TEN TEN "x"), "bad@20" },
	{ "line", ESCAPE, BYTES("\\\\\\n\\r\\t\\0\\x41\\xfF\n"),
		"[\\x5c\\x0a\\x0d\\x09\\x00A\\xff]" },
	{ "line", ESCAPE, BYTES("ab\\a\n"), "bad@3" },
	{ "line", ESCAPE, BYTES("ab\\x4\n"), "bad@5" },
	{ "line", ESCAPE, BYTES("a\nab\\"), "[a]bad@5" },
	{ "line", ESCAPE, BYTES(TEN TEN "x\n"), "bad@20" },
	{ "line", ESCAPE, BYTES("\\x30123456789" TEN "\n"), "[" TEN TEN "]" },
	{ "crlf", 0, BYTES("a\r\n\r\r\n\nb\r\n"), "[a][\\x0d][\\x0ab]" },
	{ "crlf", 0, BYTES("a\r\nb"), "[a]cut@3" },
	{ "crlf", 0, BYTES(TEN TEN "\r\n"), "[" TEN TEN "]" },
	{ "crlf", 0, BYTES(TEN TEN "xy"), "bad@20" },
	{ "nul", 0, BYTES("a\0\0b"), "[a][]cut@3" },
	{ "delim:a", ESCAPE, BYTES("b\\x4a"), "bad@4" },
	{ "delim:\\r\\n.\\r\\n", ESCAPE, BYTES(TEN TEN "\r\n.\rx" TEN), "bad@24" },
	{ "delim:\\r\\n.\\r\\n", ESCAPE, BYTES(TEN "012345678\r\n.\rx" TEN), "bad@23" },
	{ "delim:aab", 0,
		BYTES("aaab"
		      "xaaaab"),
		"[a][xaa]" },
	{ "fixed:3", 0, BYTES("abcdefg"), "[abc][def]cut@6" },
	{ "fixed:3", SHORT_LAST, BYTES("abcdefg"), "[abc][def][g]" },
	{ "fixed:20", 0, BYTES(TEN TEN), "[" TEN TEN "]" },
	{ "u8", 0, BYTES("\1a\0\2bc\2d"), "[a][][bc]cut@6" },
	{ "u8", 0, BYTES("\24" TEN TEN), "[" TEN TEN "]" },
	{ "u8", 0, BYTES("\25" TEN TEN "x"), "bad@0" },
	{ "u8,inclusive", 0, BYTES("\1\2a\0"), "[][a]bad@3" },
	{ "u8,inclusive", 0, BYTES("\25" TEN TEN), "[" TEN TEN "]" },
	{ "u8,inclusive", 0, BYTES("\26" TEN TEN "x"), "bad@0" },
	{ "u8,add=-20", 0, BYTES("\0" TEN TEN "\1"), "[" TEN TEN "]bad@21" },
	{ "u32be", 0, BYTES("\xff\xff\xff\xff"), "bad@0" },
	{ "u64be", 0, BYTES("\x80\0\0\0\0\0\0\0"), "bad@0" },
	{ "u64le", 0, BYTES("\0\0\0\0\0\0\0\x80"), "bad@7" },
	{ "u64be,add=-2", 0, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), "bad@0" },
	{ "u64be,inclusive,add=4", 0, BYTES("\0\0\0\0\0\0\0\13"), "bad@7" },
	{ "varint", 0, BYTES("\1a\0\2bc\2"), "[a][][bc]cut@6" },
	{ "varint", 0, BYTES("\24" TEN TEN), "[" TEN TEN "]" },
	{ "varint", 0, BYTES("\25"), "bad@0" },
	{ "varint", 0, BYTES("\1a\x81\x80\0"), "[a]bad@2" },
	{ "varint", 0, BYTES("\x80\0"), "bad@0" },
	{ "varint", 0, BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\1"), "bad@0" }, /* 2^63 */
	{ "varint", 0, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), "bad@0" }, /* 2^64-1 */
	{ "varint", 0, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\2"), "bad@0" },
	{ "varint", 0, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\0"), "bad@0" },
	{ "varint", 0, BYTES("\xff"), "bad@0" },
	{ "netstring", 0, BYTES("1:a,0:,3:a,b,"), "[a][][a,b]" },
	{ "netstring", 0, BYTES("20:" TEN TEN ","), "[" TEN TEN "]" },
	{ "netstring", 0, BYTES("21:"), "bad@1" },
	{ "netstring", 0, BYTES("1:a,99999999999999999999999"), "[a]bad@5" },
	{ "netstring", 0, BYTES("00:,"), "bad@1" },
	{ "netstring", 0, BYTES("1:a,01:a,"), "[a]bad@5" },
	{ "netstring", 0, BYTES(":a,"), "bad@0" },
	{ "netstring", 0, BYTES("1 a,"), "bad@1" },
	{ "netstring", 0, BYTES("-1:a,"), "bad@0" },
	{ "netstring", 0, BYTES("1:ab,"), "bad@3" },
	{ "netstring", 0, BYTES("1:a"), "cut@0" },
	{ "octet-counting", 0, BYTES("1 a0 2 bc3 d"), "[a][][bc]cut@9" },
	{ "octet-counting", 0, BYTES("1 a\n1 b"), "[a]bad@3" },
	{ "octet-counting", 0, BYTES("01 a"), "bad@1" },
	{ "octet-counting", 0, BYTES("<34>"), "bad@0" },
	{ "octet-counting", 0, BYTES("1:a"), "bad@1" },
	{ "content-length", 0,
		BYTES("content-LENGTH:\t2 \r\nContent-Type: a:b\r\n\r\nab"
		      "X: \r\nContent-Length:0\r\n\r\n"),
		"[ab][]" },
	{ "content-length", 0, BYTES("\r\nContent-Length: 1\r\n\r\na"), "bad@0" },
	{ "content-length", 0, BYTES("\r\n\r\n"), "bad@0" },
	{ "content-length", 0, BYTES("X: 1\r\n\r\n"), "bad@6" },
	{ "content-length", 0, BYTES("X: 1\r\nxy\r\n\r\n"), "bad@8" },
	{ "content-length", 0, BYTES("Content-Length : 1\r\n\r\na"), "bad@14" },
	{ "content-length", 0, BYTES("Content-Lengths: 1\r\n\r\na"), "bad@20" },
	{ "content-length", 0, BYTES("Content-Length: 1\r\nContent-Length: 1\r\n\r\na"), "bad@33" },
	{ "content-length", 0, BYTES("Content-Length: \r\n\r\n"), "bad@16" },
	{ "content-length", 0, BYTES("Content-Length: 1 1\r\n\r\n"), "bad@18" },
	{ "content-length", 0, BYTES("Content-Length: 01\r\n\r\n"), "bad@17" },
	{ "content-length", 0, BYTES("Content-Length: 21\r\n\r\n"), "bad@17" },
	{ "content-length", 0, BYTES("Content-Length: -1\r\n\r\n"), "bad@16" },
	{ "content-length", 0, BYTES("Content-Length: 3\r\n\r\nab"), "cut@0" },
	/* T2: an ignored field is validated like the one that is used. */
	{ "content-length", 0,
		BYTES("Content-Length: 1\r\n\r\naT: a\nContent-Length: 2\n\n{}T: a\r\n"
		      "Content-Length: 2\r\n\r\n[]"),
		"[a]bad@26" },
	{ "content-length", 0, BYTES("T: a\rb\r\nContent-Length: 0\r\n\r\n"), "bad@5" },
	{ "content-length", 0, BYTES("T: a\0\r\nContent-Length: 0\r\n\r\n"), "bad@4" },
	{ "content-length", 0, BYTES("T: a\33[m\r\nContent-Length: 0\r\n\r\n"), "bad@4" },
	{ "content-length", 0, BYTES("T: a\r\n b\r\nContent-Length: 0\r\n\r\n"), "bad@6" },
	{ "content-length", 0, BYTES("Content-Length: 0\r\n\tb\r\n\r\n"), "bad@19" },
	{ "content-length", 0, BYTES(": a\r\nContent-Length: 0\r\n\r\n"), "bad@0" },
	{ "content-length", 0, BYTES("a b: c\r\nContent-Length: 0\r\n\r\n"), "bad@1" },
	{ "content-length", 0, BYTES("\xc3\xbc: c\r\nContent-Length: 0\r\n\r\n"), "bad@0" },
	{ "content-length", 0, BYTES("T: \xc3\xbc\t!\r\nContent-Length: 0\r\n\r\n"), "[]" },
	{ "content-length", 0, BYTES("Content-Length: 0\r\n\n"), "bad@19" },
	{ "content-length", 0, BYTES("Content-Length: 0\r\n\r\r\n"), "bad@20" },
	{ "content-length", 0, BYTES("Content-Length: 0\n"), "bad@17" },
	{ "content-length", 0, BYTES("Content-Length: 0\r\n\r"), "cut@0" },
	/* An error before the end of the input is not reported as truncation. */
	{ "content-length", 0, BYTES("GET / HTTP/1.1"), "bad@3" },
	{ "u32be", 0, BYTES("GE"), "bad@0" },
	{ "u32le", 0, BYTES("\5\0\1"), "bad@2" },
	{ "slip", 0,
		BYTES("a\xdb"
		      "b"),
		"bad@2" },
	{ "cobs", 0, BYTES("\3a\5"), "cut@0" },
	{ "cobs", 0, BYTES("\3ab\377"), "bad@3" },
	{ "hex", STRICT, BYTES("4x"), "bad@1" },
	{ "hex", STRICT, BYTES("4"), "cut@0" },
	{ "base64", STRICT, BYTES("Zh="), "bad@2" },
	{ "crlf", ESCAPE, BYTES("a\\q"), "bad@2" },
	{ "json", STRICT, BYTES("GET"), "bad@0" },
	{ "json", STRICT, BYTES("{\"text\":nul}"), "bad@11" },
	{ "json", STRICT, BYTES("{\"text\":nul"), "cut@0" },
	{ "json", STRICT, BYTES("{\"text\":\"\xc3"), "cut@0" },
	{ "slip", 0,
		BYTES("\xc0"
		      "a\xc0\xc0\xc0"
		      "b\xc0\xc0"),
		"[a][b]" },
	{ "slip", 0, BYTES("\xc0\xc0"), "" },
	{ "slip", 0,
		BYTES("a\xc0"
		      "b"),
		"[a]cut@2" },
	{ "slip", 0,
		BYTES("ab\xdb"
		      "c\xc0"),
		"bad@3" },
	{ "slip", 0,
		BYTES("a\xc0"
		      "ab\xdb\xc0"),
		"[a]bad@5" },
	{ "slip", 0, BYTES(TEN TEN "\xc0"), "[" TEN TEN "]" },
	{ "slip", 0, BYTES(TEN TEN "x\xc0"), "bad@20" },
	{ "slip", 0, BYTES(TEN "\xdb\xdc" TEN "\xc0"), "bad@21" },
	{ "cobs", 0, BYTES("\0\0\2a\0\0\3bc\0\0"), "[a][bc]" },
	{ "cobs", 0, BYTES("\2a\0\3b\0"), "[a]bad@5" },
	{ "cobs", 0, BYTES("\2a\2\0"), "bad@3" },
	{ "cobs", 0, BYTES("\2a\0\2b"), "[a]cut@3" },
	{ "cobs", 0, BYTES("\25" TEN TEN "\0"), "[" TEN TEN "]" },
	{ "cobs", 0, BYTES("\26" TEN TEN "x\0"), "bad@0" },
	{ "cobs", 0, BYTES("\2a\24" TEN "012345678\0"), "bad@2" },
	{ "hex", 0, BYTES("4aFf\r\n\n41"), "[J\\xff][][A]" },
	{ "hex", STRICT, BYTES("4a\n41"), "[J]cut@3" },
	{ "hex", 0, BYTES("4a4\n"), "bad@3" },
	{ "hex", 0, BYTES("4\r\n"), "bad@1" },
	{ "hex", 0, BYTES("4a\n4 \n"), "[J]bad@4" },
	{ "hex", 0, BYTES("4g4\n"), "bad@1" },
	{ "hex", 0, BYTES("4\n\r\r\n"), "bad@1" },
	{ "hex", 0, BYTES(TEN TEN TEN TEN "\r\n"),
		"[\\x01#Eg\\x89\\x01#Eg\\x89\\x01#Eg\\x89\\x01#Eg\\x89]" },
	{ "hex", 0, BYTES(TEN TEN TEN TEN "01\n"), "bad@40" },
	{ "base64", 0, BYTES("Zg==\r\nZm8=\n\nZm9v"), "[f][fo][][foo]" },
	{ "base64", STRICT, BYTES("Zg==\nZm8="), "[f]cut@5" },
	{ "base64", 0, BYTES("Zg=\n"), "bad@3" },
	{ "base64", 0, BYTES("Zg\n"), "bad@2" },
	{ "base64", 0, BYTES("Z===\n"), "bad@1" },
	{ "base64", 0, BYTES("====\n"), "bad@0" },
	{ "base64", 0, BYTES("Zg==Zg==\n"), "bad@4" },
	{ "base64", 0, BYTES("Zh==\n"), "bad@2" },
	{ "base64", 0, BYTES("Zk==\n"), "bad@2" },
	{ "base64", 0, BYTES("Zm9=\n"), "bad@3" },
	{ "base64", 0, BYTES("Zm+=\n"), "bad@3" },
	{ "base64", 0, BYTES("Zm9-\n"), "bad@3" },
	{ "base64", 0, BYTES("Zm9v Zm9v\n"), "bad@4" },
	{ "base64", 0, BYTES("MDEyMzQ1Njc4OTAxMjM0NTY3ODk=\n"), "[" TEN TEN "]" },
	{ "base64", 0, BYTES("MDEyMzQ1Njc4OTAxMjM0NTY3ODk5\n"), "bad@27" },
	{ "base64", 0, BYTES("MDEyMzQ1Njc4OTAxMjM0NTY3ODk5MDEy\n"), "bad@27" },
	{ "json", 0,
		BYTES("{\"text\":\"a\\u0000\\n\"}\n {\"base64\":\"/w==\",\"from\":[1,{}],"
		      "\"x\":99999999999999999999} \r\n{\"text\":\"\"}"),
		"[a\\x00\\x0a][\\xff][]" },
	{ "json", 0, BYTES("{\"text\":\"\\ud83d\\ude00\"}\n"), "[\\xf0\\x9f\\x98\\x80]" },
	{ "json", 0, BYTES("{\"text\":\"" TEN TEN "\"}\n"), "[" TEN TEN "]" },
	{ "json", 0, BYTES("{\"text\":\"" TEN TEN "x\"}\n"), "bad@0" },
	{ "json", 0, BYTES("{\"text\":\"a\"}\n{}\n"), "[a]bad@13" },
	{ "json", 0, BYTES("[\"text\"]\n"), "bad@0" },
	{ "json", 0, BYTES("{\"text\":1}\n"), "bad@0" },
	{ "json", 0, BYTES("{\"text\":\"a\",\"text\":\"b\"}\n"), "bad@17" },
	{ "json", 0, BYTES("{\"text\":\"\\ud800\"}\n"), "bad@15" },
	{ "json", 0, BYTES("{\"text\":\"\xc0\xaf\"}\n"), "bad@9" },
	{ "json", 0, BYTES("\n"), "bad@0" },
	{ "json", 0, BYTES("{\"text\":\"a\",\"base64\":\"YQ==\"}\n"), "bad@0" },
	{ "json", 0, BYTES("{\"base64\":\"YQ=\"}\n"), "bad@0" },
	{ "json", 0, BYTES("{\"text\":\"a\"}}\n"), "bad@12" },
	{ "json", 0, BYTES("{\"text\":x}\n"), "bad@8" },
	{ "json", STRICT, BYTES("{\"text\":\"a\"}"), "cut@0" },
	/* RFC 8259: what is ignored may be anything that the grammar allows. */
	{ "json", 0,
		BYTES("{\"a\":1,\"a\":2,\"x\":1e400,\"\\u0000\":-0.0E+1,\"\":\"\\ud800\",\"text\":"
		      "\"a\"}\n"),
		"[a]" },
	{ "json", 0,
		BYTES("\t{ \"a\" : [ ] , "
		      "\"b\":{\"text\":1,\"text\":[{}]},\"t\\u0065\\u0078t\":\"\\/\","
		      "\"text\\u0000\":null,\"c\":[true,false,{\"d\":[-1.5e-3]}] }\r\n"),
		"[/]" },
	{ "json", 0, BYTES("{\"base64\":\"\\/w\\u003d=\"}\n"), "[\\xff]" },
	{ "json", 0, BYTES("{\"text\":\"\\b\\f\\n\\r\\t\\\"\\\\\"}\n"),
		"[\\x08\\x0c\\x0a\\x0d\\x09\"\\x5c]" },
	{ "json", 0, BYTES("{\"text\":\"\\u00e9\\u20AC\\udbff\\udfff\"}\n"),
		"[\\xc3\\xa9\\xe2\\x82\\xac\\xf4\\x8f\\xbf\\xbf]" },
	{ "json", 0, BYTES("{\"text\":\"\\ud800\\u0041\"}\n"), "bad@15" },
	{ "json", 0, BYTES("{\"text\":\"\\udc00\"}\n"), "bad@15" },
	{ "json", 0, BYTES("{\"text\":\"a\",\"t\\u0065xt\":\"b\"}\n"), "bad@22" },
	{ "json", 0, BYTES("{\"a\":01}\n"), "bad@6" },
	{ "json", 0, BYTES("{\"a\":1.}\n"), "bad@7" },
	{ "json", 0, BYTES("{\"a\":-}\n"), "bad@6" },
	{ "json", 0, BYTES("{\"a\":1e}\n"), "bad@7" },
	{ "json", 0, BYTES("{\"a\":+1}\n"), "bad@5" },
	{ "json", 0, BYTES("{\"a\":\"\\x\"}\n"), "bad@7" },
	{ "json", 0, BYTES("{\"a\":\"\\u12g4\"}\n"), "bad@10" },
	{ "json", 0, BYTES("{\"a\":\"\t\"}\n"), "bad@6" },
	{ "json", 0, BYTES("{\"a\":\"\0\"}\n"), "bad@6" },
	{ "json", 0, BYTES("{\"a\":\"\xed\xa0\x80\"}\n"), "bad@7" },
	{ "json", 0, BYTES("{\"a\":\"\xf4\x90\x80\x80\"}\n"), "bad@7" },
	{ "json", 0, BYTES("{\"a\":[1,]}\n"), "bad@8" },
	{ "json", 0, BYTES("{\"a\":[1}\n"), "bad@7" },
	{ "json", 0, BYTES("{\"a\":1,}\n"), "bad@7" },
	{ "json", 0, BYTES("{,}\n"), "bad@1" },
	{ "json", 0, BYTES("{\"a\" 1}\n"), "bad@5" },
	{ "json", 0, BYTES("{\"a\":1 \"b\":2}\n"), "bad@7" },
	{ "json", 0, BYTES("{a:1}\n"), "bad@1" },
	{ "json", 0, BYTES("{\"text\":\"a\"\n"), "bad@11" },
	{ "json", 0, BYTES("{\"text\":\"a\\\"\n"), "bad@12" },
	{ "datagram", 0, BYTES(TEN TEN), "[" TEN TEN "]" },
	{ "datagram", 0, BYTES(TEN TEN "x"), "bad@20" },
};

static bool
frame_test_is(const struct framing *framing, const char *wanted, const char *what, size_t row)
{
	char *text = framing_text(framing);
	bool same = strcmp(text, wanted) == 0;
	if (!same)
		(void)fprintf(stderr, "%s, row %zu: %s, not %s\n", what, row, text, wanted);
	free(text);
	return same;
}

/* Unsplit, byte by byte, and split at every one and every two offsets. Datagrams are never
 * split. */
static void
frame_test_cuts(const struct frame *frame, const unsigned char *wire, size_t size,
	const char *wanted, size_t row)
{
	struct framing framing;
	size_t each[1024], span = frame->format->whole ? 0 : size;
	CHECK(size < COUNT(each));
	for (size_t i = 0; i < size; i++)
		each[i] = i;
	for (int late = 0; late < 2; late++) {
		framing_decode(&framing, frame, wire, size, each, 0, late != 0 && span > 0);
		CHECK(frame_test_is(&framing, wanted, frame->format->name, row));
		framing_clear(&framing);
		framing_decode(&framing, frame, wire, size, each, span, late != 0 && span > 0);
		CHECK(frame_test_is(&framing, wanted, frame->format->name, row));
		framing_clear(&framing);
	}
	size_t step = size > 60 ? size / 20 : 1;
	for (size_t first = 0; first < span; first += step)
		for (size_t second = first; second < span; second += step) {
			size_t cuts[] = { first, second };
			framing_decode(&framing, frame, wire, size, cuts, 2, second % 2 == 0);
			CHECK(frame_test_is(&framing, wanted, frame->format->name, row));
			framing_clear(&framing);
		}
}

static void
frame_test_rows(void)
{
	struct frame frame;
	for (size_t i = 0; i < COUNT(frame_test_known); i++) {
		const unsigned char *message = frame_test_known[i].message;
		const unsigned char *wire = frame_test_known[i].wire;
		size_t length = frame_test_known[i].length, size = frame_test_known[i].size, put;
		struct frame_refusal refusal;
		frame_test_parse(&frame, frame_test_known[i].text, 1000, frame_test_known[i].flags);
		unsigned char *made = framing_encode(&frame, message, length, &put, &refusal);
		CHECK(made != NULL && put == size && memcmp(made, wire, size) == 0);
		if (made != NULL && (put != size || memcmp(made, wire, size) != 0))
			(void)fprintf(stderr, "row %zu: %.*s\n", i, (int)put, (char *)made);
		free(made);
		/* The frame is the message, wherever it is split. */
		struct framing_message one = { malloc(length + 1), length };
		memcpy(one.bytes, message, length);
		char *wanted = framing_text(&(struct framing){ .messages = &one, .count = 1 });
		frame_test_cuts(&frame, wire, size, wanted, i);
		free(wanted);
		free(one.bytes);
	}
	for (size_t i = 0; i < COUNT(frame_test_peer); i++) {
		frame_test_parse(&frame, frame_test_peer[i].text, 20, frame_test_peer[i].flags);
		frame_test_cuts(&frame, frame_test_peer[i].wire, frame_test_peer[i].size,
			frame_test_peer[i].wanted, i);
	}
}

int
main(void)
{
	frame_test_rows();
	return check_verdict("frame");
}
