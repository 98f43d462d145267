/* The post office against a model of it: boxes come and go, some speak, some take out; each gets
 * what was said while it was there, whole, in order and once, and no more waits than may. Memory
 * fails now and then; then a message goes to all or to none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check.h"
#include "stream/post.h"

#define POST_TEST_BOXES 9
#define POST_TEST_QUEUE 4096
#define POST_TEST_ROUNDS 400
#define POST_TEST_STEPS 400
#define POST_TEST_LONGEST 90

struct post_test_box {
	struct post_box box;
	struct stream stream;
	bool there;
	/* The model: */
	bool deaf, full, blocked, fresh;
	unsigned messages[POST_TEST_QUEUE]; /* that wait, by number */
	size_t count, offset;
	uint64_t dropped;
};

static struct post_test_box post_test_all[POST_TEST_BOXES];
static struct post post_test_office;
static unsigned post_test_state, post_test_next;
static bool post_test_apart, post_test_starves;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static unsigned
post_test_random(unsigned most)
{
	post_test_state = post_test_state * 1664525u + 1013904223u;
	return (post_test_state >> 8) % most;
}

void *
__wrap_malloc(size_t size)
{
	return post_test_starves && post_test_random(4) == 0 ? NULL : __real_malloc(size);
}

static size_t
post_test_length(unsigned message)
{
	return message % 5 == 0 ? 0 : message * 2654435761u % POST_TEST_LONGEST;
}

static unsigned char
post_test_byte(unsigned message, size_t at)
{
	return (unsigned char)(message * 31 + at * 7);
}

static size_t
post_test_weight(const struct post_test_box *one)
{
	size_t weight = 0;
	for (size_t i = 0; i < one->count; i++)
		weight += post_test_length(one->messages[i]) + POST_COST;
	return weight;
}

/* The box is what the model says. */
static void
post_test_compare(const struct post_test_box *one)
{
	static struct iovec pieces[POST_TEST_QUEUE];
	size_t bytes = 0;
	CHECK(one->box.count == one->count);
	CHECK(one->box.weight == post_test_weight(one));
	CHECK(one->box.dropped == one->dropped);
	CHECK(one->box.full == one->full);
	CHECK(one->box.deaf == (one->deaf || one->full));
	CHECK(one->box.blocked == one->blocked);
	CHECK(one->box.fresh == one->fresh);
	int looked = post_look(&one->box, pieces, POST_TEST_QUEUE);
	CHECK((size_t)looked == one->count);
	for (size_t i = 0; i < one->count && i < (size_t)looked; i++) {
		size_t from = i == 0 ? one->offset : 0;
		size_t length = post_test_length(one->messages[i]) - from;
		bytes += length;
		CHECK(pieces[i].iov_len == length);
		for (size_t j = 0; j < length && j < pieces[i].iov_len; j++)
			CHECK(((unsigned char *)pieces[i].iov_base)[j] ==
				post_test_byte(one->messages[i], from + j));
	}
	CHECK(one->box.bytes == bytes);
	/* Whoever something waits for knows. */
	if (one->count > 0)
		CHECK(one->stream.pending);
}

static void
post_test_compare_all(void)
{
	size_t hearers = 0;
	for (size_t i = 0; i < POST_TEST_BOXES; i++) {
		if (!post_test_all[i].there)
			continue;
		post_test_compare(&post_test_all[i]);
		hearers += !post_test_all[i].deaf && !post_test_all[i].full;
	}
	CHECK(post_test_office.hearers == hearers);
}

static void
post_test_join(struct post_test_box *one)
{
	one->there = true;
	one->deaf = post_test_random(4) == 0;
	one->full = one->blocked = one->fresh = false;
	one->count = one->offset = 0;
	one->dropped = 0;
	one->stream = (struct stream){ .rfd = -1, .wfd = -1 };
	post_join(&post_test_office, &one->box, &one->stream, one->deaf);
	CHECK(one->stream.pending == post_test_office.ended);
}

/* Everybody who waited to be heard has been told to try again. */
static void
post_test_unblocked(void)
{
	for (size_t i = 0; i < POST_TEST_BOXES; i++) {
		struct post_test_box *one = &post_test_all[i];
		if (!one->there || !one->blocked)
			continue;
		CHECK(!one->box.blocked && one->box.is_woken && one->stream.wagain == 1);
		one->blocked = false;
	}
}

static bool
post_test_hears(const struct post_test_box *one, const struct post_test_box *from)
{
	return one->there && one != from && !one->deaf && !one->full;
}

static bool
post_test_has_room(const struct post_test_box *one, unsigned message)
{
	size_t limit = post_test_office.limit, weight = post_test_length(message) + POST_COST;
	if (post_test_office.slow == POST_WAIT)
		return post_test_weight(one) < limit;
	return one->count == 0 || post_test_weight(one) + weight <= limit;
}

/* What the model does with one message; false: the speaker has to wait. */
static bool
post_test_expect(struct post_test_box *from, unsigned message)
{
	bool waits = post_test_office.slow == POST_WAIT;
	for (size_t i = 0; i < POST_TEST_BOXES; i++)
		if (post_test_hears(&post_test_all[i], from) && (waits || post_test_all[i].fresh) &&
			!post_test_has_room(&post_test_all[i], message))
			return false;
	for (size_t i = 0; i < POST_TEST_BOXES; i++) {
		struct post_test_box *one = &post_test_all[i];
		if (!post_test_hears(one, from))
			continue;
		if (post_test_has_room(one, message)) {
			one->messages[one->count++] = message;
			one->fresh = true;
			CHECK(one->box.is_woken);
		} else if (post_test_office.slow == POST_DROP) {
			one->dropped++;
		} else {
			one->full = true;
			CHECK(one->box.is_woken && one->stream.pending);
			post_test_unblocked();
		}
	}
	return true;
}

static void
post_test_say(struct post_test_box *from)
{
	static unsigned char bytes[4][POST_TEST_LONGEST];
	struct iovec pieces[4];
	struct fault fault = FAULT_NONE;
	int count = post_test_apart ? 1 + (int)post_test_random(4) : 1;
	size_t said = 99;
	bool hungry = post_test_starves;
	if (from->blocked)
		return;
	for (int i = 0; i < count; i++) {
		unsigned message = post_test_next + (unsigned)i;
		for (size_t j = 0; j < post_test_length(message); j++)
			bytes[i][j] = post_test_byte(message, j);
		pieces[i] = (struct iovec){ bytes[i], post_test_length(message) };
	}
	from->stream.wagain = 0;
	enum io result = post_say(&from->box, pieces, count, post_test_apart, &said, &fault);
	CHECK(result == IO_OK ? said > 0 && said <= (size_t)count : said == 0);
	for (size_t i = 0; i < said; i++)
		CHECK(post_test_expect(from, post_test_next++));
	if (result == IO_OK && said < (size_t)count && !hungry)
		CHECK(!post_test_expect(from, post_test_next));
	if (result == IO_AGAIN && from->stream.wagain == CLOCK_NEVER) {
		from->blocked = true;
		CHECK(!post_test_expect(from, post_test_next));
	} else if (result == IO_AGAIN) {
		CHECK(hungry && from->stream.wagain > 1);
	}
	CHECK(result != IO_FAIL);
}

static void
post_test_take(struct post_test_box *one)
{
	size_t before = post_test_weight(one), taken = 0;
	if (one->count == 0)
		return;
	if (post_test_apart) {
		taken = 1 + post_test_random((unsigned)one->count);
		post_take_messages(&one->box, taken);
	} else {
		size_t bytes = post_test_random((unsigned)one->box.bytes + 1);
		post_take(&one->box, bytes);
		bytes += one->offset;
		one->offset = 0;
		while (taken < one->count && post_test_length(one->messages[taken]) <= bytes)
			bytes -= post_test_length(one->messages[taken++]);
		one->offset = bytes;
	}
	one->count -= taken;
	memmove(one->messages, one->messages + taken, one->count * sizeof one->messages[0]);
	if (before >= post_test_office.limit && post_test_weight(one) < post_test_office.limit)
		post_test_unblocked();
}

static void
post_test_attend(struct post_test_box *one)
{
	post_attend(&one->box);
	if (one->fresh && post_test_office.slow != POST_WAIT)
		post_test_unblocked();
	one->fresh = false;
}

static void
post_test_step(struct post_test_box *one)
{
	switch (post_test_random(14)) {
	case 0:
		post_leave(&one->box);
		one->there = one->blocked = false;
		CHECK(one->box.post == NULL);
		post_test_unblocked();
		break;
	case 1:
		if (post_test_random(4) != 0)
			break;
		post_mute(&one->box);
		if (!one->deaf && !one->full)
			post_test_unblocked();
		one->deaf = true;
		break;
	case 2:
		for (struct post_box *box; (box = post_next_woken(&post_test_office)) != NULL;)
			CHECK(box->post == &post_test_office && !box->is_woken);
		break;
	case 3:
		if (post_test_random(20) == 0) {
			post_end(&post_test_office);
			for (size_t i = 0; i < POST_TEST_BOXES; i++)
				if (post_test_all[i].there)
					CHECK(post_test_all[i].box.is_woken &&
						post_test_all[i].stream.pending);
		}
		break;
	case 4:
	case 5:
	case 6:
		post_test_take(one);
		break;
	case 7:
	case 8:
		post_test_attend(one);
		break;
	default:
		post_test_say(one);
		break;
	}
}

/* Who waits longest is woken first. */
static void
post_test_order(void)
{
	struct post office = { .limit = 1, .slow = POST_WAIT };
	static const size_t order[] = { 2, 0, 3, 1 };
	for (size_t i = 0; i < 4; i++)
		post_join(&office, &post_test_all[i].box, &post_test_all[i].stream, false);
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < 4; i++)
			post_block(&post_test_all[order[(i + round) % 4]].box);
		post_unblock(&office);
		for (size_t i = 0; i < 4; i++)
			CHECK(post_next_woken(&office) ==
				&post_test_all[order[(i + round) % 4]].box);
		CHECK(post_next_woken(&office) == NULL);
	}
	for (size_t i = 0; i < 4; i++)
		post_leave(&post_test_all[i].box);
	CHECK(office.first == NULL && office.last == NULL && office.woken == NULL);
}

/* News wait for nobody, and where everybody's words are waited for they are no loss. */
static void
post_test_news(enum post_slow slow, uint64_t dropped)
{
	struct post office = { .limit = 1, .slow = slow };
	struct iovec word = { (char[]){ 'x' }, 1 };
	struct post_box *from = &post_test_all[0].box, *to = &post_test_all[1].box;
	for (size_t i = 0; i < 2; i++)
		post_join(&office, &post_test_all[i].box, &post_test_all[i].stream, false);
	post_tell(from, &word, 1);
	CHECK(to->count == 1 && to->dropped == 0);
	post_tell(from, &word, 1);
	CHECK(to->count == 1 && to->dropped == dropped && !to->full);
	for (size_t i = 0; i < 2; i++)
		post_leave(&post_test_all[i].box);
}

int
main(int argc, char *argv[])
{
	unsigned seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
	unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : POST_TEST_ROUNDS;
	for (unsigned round = seed; round < seed + rounds; round++) {
		post_test_state = round * 2654435761u;
		post_test_apart = post_test_random(2) == 0;
		post_test_office = (struct post){
			.limit = 1 + post_test_random(post_test_random(2) == 0 ? 200 : 2000),
			.slow = (enum post_slow)post_test_random(3),
		};
		for (unsigned step = 0; step < POST_TEST_STEPS; step++) {
			struct post_test_box *one =
				&post_test_all[post_test_random(POST_TEST_BOXES)];
			post_test_starves = post_test_random(8) == 0;
			if (one->there)
				post_test_step(one);
			else
				post_test_join(one);
			post_test_starves = false;
			post_test_compare_all();
		}
		for (size_t i = 0; i < POST_TEST_BOXES; i++) {
			post_leave(&post_test_all[i].box);
			post_test_all[i].there = false;
		}
		CHECK(post_test_office.first == NULL && post_test_office.woken == NULL);
		CHECK(post_test_office.hearers == 0);
	}
	post_test_order();
	post_test_news(POST_WAIT, 0);
	post_test_news(POST_DROP, 1);
	post_test_news(POST_DISCONNECT, 1);
	return check_verdict("post");
}
