#include "filter/tls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "net/secret_file.h"
#include "sys/sys.h"

static bool
tls_files_read_passphrase(struct tls_files *files, struct fault *fault)
{
	if (files->config.passphrase == NULL)
		return true;
	files->passphrase = secret_file_read(files->config.passphrase, STATUS_CREDENTIALS, fault);
	if (files->passphrase == NULL)
		return false;
	files->passphrase[strcspn(files->passphrase, "\r\n")] = '\0';
	return files->passphrase[0] != '\0' ||
		fault_set(fault, STATUS_CREDENTIALS, 0, "read %s: the first line is empty",
			files->config.passphrase);
}

static bool
tls_files_read_keys(struct tls_files *files, struct fault *fault)
{
	const char *path = files->config.keys;
	char *text = path != NULL ? secret_file_read(path, STATUS_CREDENTIALS, fault) : NULL;
	return path == NULL ||
		(text != NULL &&
			psk_parse(&files->keys, text, files->config.identity, path, fault));
}

/* The environment may be that of another program's run: a failure is no reason to end this one. */
static void
tls_files_open_keylog(struct tls_files *files)
{
	const char *path = files->config.keylog;
	if (path == NULL)
		return;
	files->keylog =
		sys_open_private(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK);
	if (files->keylog == -1)
		event_emit(&(struct event){ .kind = EVENT_tls_keylog_failed,
			.object = path,
			.cause = strerror(errno) });
	else
		event_emit(&(struct event){ .kind = EVENT_tls_keylog, .object = path });
}

bool
tls_files_open(struct tls_files *files, const struct tls_files_config *config, struct fault *fault)
{
	*files = TLS_FILES_NONE;
	files->config = *config;
	if (!tls_files_read_passphrase(files, fault) || !tls_files_read_keys(files, fault) ||
		(config->peer != NULL &&
			!output_open(&files->peer, config->peer, config->append, fault)))
		return false;
	tls_files_open_keylog(files);
	return true;
}

bool
tls_files_write_peer(const struct tls_files *files, const char *pem, struct fault *fault)
{
	return output_put(&files->peer, files->config.peer, pem, strlen(pem), fault);
}

void
tls_files_close(struct tls_files *files)
{
	free(files->passphrase);
	psk_close(&files->keys);
	(void)sys_close(&files->peer.fd);
	(void)sys_close(&files->keylog);
}
