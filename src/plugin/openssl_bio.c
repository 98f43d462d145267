#include "plugin/openssl_bio.h"

/* Made at the first use; freed at the end of the process. */
static BIO_METHOD *openssl_bio_method;

static int
openssl_bio_read(BIO *bio, char *bytes, size_t size, size_t *got)
{
	const struct tls_bottom *bottom = BIO_get_data(bio);
	enum io result = bottom->read(bottom->stream, bytes, size, got);
	BIO_clear_retry_flags(bio);
	if (result == IO_AGAIN)
		BIO_set_retry_read(bio);
	return result == IO_OK;
}

static int
openssl_bio_write(BIO *bio, const char *bytes, size_t size, size_t *put)
{
	const struct tls_bottom *bottom = BIO_get_data(bio);
	enum io result = bottom->write(bottom->stream, bytes, size, put);
	BIO_clear_retry_flags(bio);
	if (result == IO_AGAIN)
		BIO_set_retry_write(bio);
	return result == IO_OK;
}

/* The end of the bottom is not reported as such (BIO_CTRL_EOF), since the library would answer it
 * with an alert; the owner of the bottom knows it. */
static long
openssl_bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio, (void)number, (void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static int
openssl_bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static BIO_METHOD *
openssl_bio_make_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
	if (method == NULL)
		return NULL;
	(void)BIO_meth_set_read_ex(method, openssl_bio_read);
	(void)BIO_meth_set_write_ex(method, openssl_bio_write);
	(void)BIO_meth_set_ctrl(method, openssl_bio_control);
	(void)BIO_meth_set_create(method, openssl_bio_create);
	return method;
}

BIO *
openssl_bio_new(const struct tls_bottom *bottom)
{
	if (openssl_bio_method == NULL)
		openssl_bio_method = openssl_bio_make_method();
	BIO *bio = openssl_bio_method != NULL ? BIO_new(openssl_bio_method) : NULL;
	if (bio != NULL)
		BIO_set_data(bio, (void *)(uintptr_t)bottom);
	return bio;
}
