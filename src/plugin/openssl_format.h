/* Files of certificates and keys that cannot be used: what they are instead of PEM. */
#ifndef SOCKCAT_PLUGIN_OPENSSL_FORMAT_H
#define SOCKCAT_PLUGIN_OPENSSL_FORMAT_H

enum openssl_format {
	OPENSSL_FORMAT_CERTIFICATE,
	OPENSSL_FORMAT_KEY,
	OPENSSL_FORMAT_TRUSTED,
	OPENSSL_FORMAT_REVOKED
};

/* What it is called in messages. */
const char *openssl_format_name(enum openssl_format format);

/* Why the file is not of the format, and how to convert it; NULL: it seems to be. */
const char *openssl_format_fault(enum openssl_format format, const char *file);

#endif
