/*
 * The stages of a flow. A transform changes the bytes between the source and the channel; gates
 * limit how much passes from the channel to the sink, and when; observers see what has passed.
 *
 * A stage is a constant row of operations and a small state. The kernel may move the bytes (splice)
 * while no stage inspects or changes them.
 */
#ifndef SOCKCAT_FLOW_STAGE_H
#define SOCKCAT_FLOW_STAGE_H

#include <stdint.h>
#include <sys/uio.h>

#include "base/fault.h"
#include "flow/digest_stage.h"
#include "flow/request_line.h"

struct stage;

/* An operation that the stage does not have is NULL. */
struct stage_ops {
	/* Creates the state that is not in the configuration, and frees it. */
	bool (*open)(struct stage *, struct fault *);
	void (*close)(struct stage *);

	/* A gate: how many bytes may pass now; called only when `until` has passed, and then more
	 * than 0, except for an empty message. count == 0: the bytes are in the kernel. */
	size_t (*limit)(const struct stage *, const struct iovec *pieces, int count);

	/* A gate or an observer: the first n bytes of the pieces have passed; count == 0: the bytes
	 * were in the kernel. */
	void (*passed)(
		struct stage *, const struct iovec *pieces, int count, size_t n, int64_t now);

	/* A transform: converts n bytes into `out`, which has room for 2 * n; the number of bytes.
	 * `first`: a message begins. A flow has one transform at most. */
	size_t (*change)(
		struct stage *, const unsigned char *in, size_t n, bool first, unsigned char *out);

	/* Whether what has passed is as it should be; false with a fault that names its source.
	 * `ended`: nothing follows, as the session has ended without a failure. */
	bool (*check)(struct stage *, const char *source, bool ended, struct fault *);

	const char *why; /* it inspects the bytes */
};

struct stage {
	const struct stage_ops *ops;
	bool inspects;  /* it has to see the bytes: the kernel may not move them */
	bool keeps_end; /* after what has passed, the sink is not half-closed */
	bool messages;  /* each piece is a message */
	size_t burst;   /* of the rate: bytes that may pass at once after a rest */
	int64_t until;  /* a gate: nothing passes before this time */
	union {
		bool after_cr; /* of --crlf */
		struct request_line request_line;
		struct digest_stage digest;
		struct {
			uint64_t bytes, passed;
		} expect;
		int64_t amount; /* of one number: a span, a rate, a count */
	};
};

/*
 * crlf: the transform of --crlf. LF becomes CR LF, CR LF stays, however the input is split.
 * pace: the gate of --delay. One line, or message, passes at a time, and a pause of `amount`
 * nanoseconds follows it.
 * rate: the gate of --rate, of `amount` bytes per second, more than 0. A message passes as a whole.
 * expect: the observer of --expect, of `expect.bytes`.
 * digest_stage: the observer of --digest and --expect-digest.
 * request_line: the observer of --end=auto. Servers take a half-close after an HTTP/1 request for
 * an abort.
 */
extern const struct stage crlf_stage, pace_stage, rate_stage, expect_stage, digest_stage,
	request_line_stage;

struct stage_list {
	struct stage *list; /* owned; NULL: none */
	size_t count;
};

/* Copies the stages up to one without operations, and opens them; `from` may be NULL. False and a
 * fault: there is no memory, or a plug-in is not installed. */
bool stage_open(
	struct stage_list *stages, const struct stage *from, bool messages, struct fault *fault);

/* Frees them; also good on a zeroed struct. */
void stage_close(struct stage_list *stages);

/* How many bytes may pass now, as of all gates. */
size_t stage_limit(const struct stage_list *stages, const struct iovec *pieces, int count);

/* Shows all gates and observers the bytes that have passed. */
void stage_passed(
	struct stage_list *stages, const struct iovec *pieces, int count, size_t n, int64_t now);

/* Nothing passes before this time; 0: any time. */
int64_t stage_until(const struct stage_list *stages);

/* The transform; NULL: there is none. */
struct stage *stage_transform(const struct stage_list *stages);

/* Whether there is a gate. */
bool stage_is_gated(const struct stage_list *stages);

/* Whether a stage has to see the bytes. */
bool stage_inspects(const struct stage_list *stages);

/* The reason of a stage that has to see them until the end; NULL: there is none. */
const char *stage_why(const struct stage_list *stages);

/* Whether all stages find what has passed as it should be (`check`). */
bool stage_check(struct stage_list *stages, const char *source, bool ended, struct fault *fault);

/* Whether a stage has seen that the sink must not be half-closed. */
bool stage_keeps_end(const struct stage_list *stages);

/* Removes all gates: the flow is being stopped. */
void stage_release(struct stage_list *stages);

#endif
