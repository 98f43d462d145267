/* Capture files; see capture.h. */
#include "filter/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "sys/sys.h"

/* --- waiting streams --- */

static void
capture_enlist(struct capture_list *list, struct capture_client *client)
{
	client->list = list;
	client->next = NULL;
	*(list->last != NULL ? &list->last->next : &list->first) = client;
	list->last = client;
}

void
capture_forget(struct capture_client *client)
{
	struct capture_list *list = client->list;
	struct capture_client *previous = NULL;
	if (list == NULL)
		return;
	for (struct capture_client *at = list->first; at != client; at = at->next)
		previous = at;
	*(previous != NULL ? &previous->next : &list->first) = client->next;
	if (list->last == client)
		list->last = previous;
	client->list = NULL;
}

/* Wakes all streams that wait. */
static void
capture_wake(struct capture *capture)
{
	for (struct capture_client *client; (client = capture->waiting.first) != NULL;) {
		capture_forget(client);
		if (client->read)
			client->stream->read.at = STREAM_NOW;
		if (client->write)
			client->stream->write.at = STREAM_NOW;
		client->read = client->write = false;
		capture_enlist(&capture->woken, client);
	}
}

struct capture_client *
capture_next_woken(struct capture *capture)
{
	struct capture_client *client = capture->woken.first;
	if (client == NULL)
		return NULL;
	capture_forget(client);
	return client;
}

/* --- the files --- */

static size_t
capture_queued(const struct capture_file *file)
{
	return file->end - file->start;
}

static bool
capture_is_full(const struct capture *capture)
{
	return !capture->unbounded &&
		(capture_queued(&capture->hex_dump) >= CAPTURE_QUEUE ||
			capture_queued(&capture->output) >= CAPTURE_QUEUE);
}

bool
capture_is_active(const struct capture *capture)
{
	return capture->hex_dump.out.fd != -1 || capture->output.out.fd != -1;
}

/* Closes a file and discards its queue. */
static void
capture_drop(struct capture_file *file)
{
	(void)sys_close(&file->out.fd);
	file->start = file->end = 0;
	file->waits = false;
}

/* The first failure of the run is remembered. */
static void
capture_fail(struct capture *capture, struct capture_file *file, int error)
{
	(void)fault_set(&capture->fault, STATUS_OUTPUT, error, "write %s", file->path);
	capture_drop(file);
}

static void
capture_flush_file(struct capture *capture, struct capture_file *file)
{
	while (file->out.fd != -1 && !file->waits && capture_queued(file) > 0) {
		ssize_t n =
			output_write(&file->out, file->text + file->start, capture_queued(file));
		if (n == -1 && !sys_would_block(errno)) {
			capture_fail(capture, file, errno);
			return;
		}
		if (n == -1) {
			file->waits = true;
			return;
		}
		file->start += (size_t)n;
		file->moved_at = clock_now();
	}
	if (capture_queued(file) == 0)
		file->start = file->end = 0;
}

void
capture_flush(struct capture *capture)
{
	capture_flush_file(capture, &capture->hex_dump);
	capture_flush_file(capture, &capture->output);
}

void
capture_append(struct capture *capture, struct capture_file *file, const void *bytes, size_t n)
{
	if (file->out.fd == -1 || n == 0)
		return;
	if (file->room - file->end < n && file->start > 0) {
		file->end = capture_queued(file);
		memmove(file->text, file->text + file->start, file->end);
		file->start = 0;
	}
	if (file->room - file->end < n) {
		size_t room = (file->end + n) * 2;
		char *longer = realloc(file->text, room);
		if (longer == NULL) {
			capture_fail(capture, file, ENOMEM);
			return;
		}
		file->text = longer;
		file->room = room;
	}
	memcpy(file->text + file->end, bytes, n);
	file->end += n;
}

bool
capture_admits(struct capture *capture, struct capture_client *client, bool write)
{
	if (!capture_is_full(capture))
		return true;
	if (capture->waiting.first == NULL)
		capture->hex_dump.moved_at = capture->output.moved_at = clock_now();
	*(write ? &client->write : &client->read) = true;
	if (client->list != &capture->waiting) {
		capture_forget(client);
		capture_enlist(&capture->waiting, client);
	}
	return false;
}

/* Whether the file has to take something within `patience`. */
static bool
capture_is_awaited(const struct capture *capture, const struct capture_file *file)
{
	if (capture->closing)
		return capture_queued(file) > 0;
	return capture->waiting.first != NULL && capture_queued(file) >= CAPTURE_QUEUE;
}

static void
capture_ask_file(const struct capture *capture, struct capture_file *file, struct pollset *pollset)
{
	file->entry = file->waits ? pollset_ask(pollset, file->out.fd, POLLOUT) : POLLSET_NONE;
	if (capture_is_awaited(capture, file))
		pollset_until(pollset, clock_after(file->moved_at, capture->patience));
}

void
capture_ask(struct capture *capture, struct pollset *pollset)
{
	capture_ask_file(capture, &capture->hex_dump, pollset);
	capture_ask_file(capture, &capture->output, pollset);
}

static void
capture_step_file(struct capture *capture, struct capture_file *file, const struct pollset *pollset,
	int64_t now)
{
	if (pollset_fired(pollset, file->entry))
		file->waits = false;
	capture_flush_file(capture, file);
	if (!capture_is_awaited(capture, file) ||
		now < clock_after(file->moved_at, capture->patience))
		return;
	if (capture->closing) {
		capture_fail(capture, file, ETIMEDOUT);
		return;
	}
	char patience[32];
	(void)snprintf(
		patience, sizeof patience, "%gs", (double)capture->patience / (double)CLOCK_SECOND);
	event_emit(&(struct event){
		.kind = EVENT_capture_stalled, .object = file->path, .detail = patience });
	(void)fault_set_quiet(&capture->fault, STATUS_OUTPUT);
	capture_drop(file);
}

void
capture_step(struct capture *capture, const struct pollset *pollset, int64_t now)
{
	capture_step_file(capture, &capture->hex_dump, pollset, now);
	capture_step_file(capture, &capture->output, pollset, now);
	if (!capture_is_full(capture))
		capture_wake(capture);
}

void
capture_release(struct capture *capture)
{
	capture->unbounded = true;
	capture_wake(capture);
}

static bool
capture_open_file(struct capture_file *file, const char *path, bool append, struct fault *fault)
{
	file->path = path;
	return path == NULL || output_open(&file->out, path, append, fault);
}

bool
capture_open(struct capture *capture, const struct capture_config *config, int64_t patience,
	struct fault *fault)
{
	*capture = (struct capture){
		.hex_dump = CAPTURE_FILE_NONE, .output = CAPTURE_FILE_NONE, .patience = patience
	};
	return capture_open_file(&capture->hex_dump, config->hex_dump, config->append, fault) &&
		capture_open_file(&capture->output, config->output, config->append, fault);
}

bool
capture_announce(struct capture *capture)
{
	struct fault *fault = &capture->fault;
	if (!fault_is_set(fault))
		return false;
	if (!fault->quiet) {
		event_emit(&(struct event){ .kind = EVENT_capture_failed,
			.cause = fault->text != NULL ? fault->text : "failed" });
		fault_clear(fault);
		(void)fault_set_quiet(fault, STATUS_OUTPUT);
	}
	return true;
}

bool
capture_report(struct capture *capture, struct fault *fault)
{
	bool good = !fault_is_set(&capture->fault);
	fault_move(fault, &capture->fault);
	return good;
}

static void
capture_close_file(struct capture *capture, struct capture_file *file)
{
	if (capture_queued(file) > 0)
		capture_fail(capture, file, ETIMEDOUT);
	if (file->out.fd != -1 && !sys_close(&file->out.fd))
		capture_fail(capture, file, errno);
	free(file->text);
	*file = CAPTURE_FILE_NONE;
}

void
capture_finish(struct capture *capture, int64_t patience, int64_t now)
{
	capture->closing = true;
	capture->patience = patience;
	capture->hex_dump.moved_at = capture->output.moved_at = now;
	capture_flush(capture);
}

bool
capture_is_pending(const struct capture *capture)
{
	return capture_queued(&capture->hex_dump) > 0 || capture_queued(&capture->output) > 0;
}

bool
capture_close(struct capture *capture, struct fault *fault)
{
	capture_close_file(capture, &capture->hex_dump);
	capture_close_file(capture, &capture->output);
	return capture_report(capture, fault);
}
