/* The files of TLS besides certificates and keys, which the plug-in reads. */
#ifndef SOCKCAT_FILTER_TLS_FILES_H
#define SOCKCAT_FILTER_TLS_FILES_H

#include "plugin/psk.h"
#include "stream/output.h"

/* Paths; NULL: none. Not owned. */
struct tls_files_config {
	const char *passphrase; /* its first line is that of the own key */
	const char *keys;       /* pre-shared ones */
	const char *identity;   /* no path: that of the key that a client offers */
	const char *peer;       /* for the certificates of peers */
	bool append;            /* to `peer`, which otherwise must not exist */
	const char *keylog;     /* for the secrets of sessions, which are appended */
};

struct tls_files {
	struct tls_files_config config;
	char *passphrase; /* owned; NULL: none */
	struct psk_list keys;
	struct output peer;
	int keylog; /* -1: none */
};

#define TLS_FILES_NONE ((struct tls_files){ .peer = { .fd = -1 }, .keylog = -1 })

/* Reads and opens them. A log of secrets that cannot be opened is reported, and not written. False:
 * STATUS_CREDENTIALS, STATUS_OUTPUT or STATUS_MEMORY. */
bool tls_files_open(
	struct tls_files *files, const struct tls_files_config *config, struct fault *fault);

/* Writes the certificates of a peer, in PEM. False with STATUS_OUTPUT. */
bool tls_files_write_peer(const struct tls_files *files, const char *pem, struct fault *fault);

void tls_files_close(struct tls_files *files);

#endif
