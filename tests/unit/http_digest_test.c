/* Digest authentication: the examples of RFC 7616 (3.9.1) and RFC 2069 in form, and challenges that
 * cannot be answered. */
#include "net/http_digest.h"

#include <string.h>

#include "check.h"

#define NONCE "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define OPAQUE "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
#define CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define CHALLENGE(algorithm) \
	"realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=" algorithm \
	", nonce=\"" NONCE "\", opaque=\"" OPAQUE "\""
#define CREDENTIALS(response, algorithm) \
	"Digest username=\"Mufasa\", realm=\"http-auth@example.org\", nonce=\"" NONCE \
	"\", uri=\"/dir/index.html\", response=\"" response "\", algorithm=" algorithm \
	", qop=auth, nc=00000001, cnonce=\"" CNONCE "\", opaque=\"" OPAQUE "\""
#define MD5 CREDENTIALS("8ca523f5e9506fed4657c9700eebdbec", "MD5")
#define SHA256 \
	CREDENTIALS("753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", "SHA-256")

/* Challenges in the order in which they arrive, and the answer; NULL: there is none. */
static const struct {
	const char *challenges[2], *answer;
} http_digest_test_rows[] = {
	{ { CHALLENGE("MD5") }, MD5 },
	{ { CHALLENGE("SHA-256") }, SHA256 },
	{ { CHALLENGE("sha-256") }, SHA256 },
	{ { CHALLENGE("SHA-256"), CHALLENGE("MD5") }, SHA256 },
	{ { CHALLENGE("MD5"), CHALLENGE("SHA-256") }, SHA256 },
	{ { CHALLENGE("SHA-512-256"), CHALLENGE("MD5") }, MD5 },
	{ { CHALLENGE("MD5-sess") }, NULL },
	{ { "realm=\"r\", nonce=\"n\", qop=\"auth-int\"" }, NULL },
	{ { "realm=\"r\"" }, NULL },
	{ { "realm=\"r\", nonce=\"n" }, NULL },
	{ { "realm=\"r\", nonce=\"a\\\"b\"" }, NULL },
	{ { "realm=\"r\", nonce=\"n\", Basic realm=\"x\"" }, NULL },
	{ { "" }, NULL },
	/* Without qop, which has no value of the client: MD5(MD5(Mufasa:r:...):n:MD5(...)). */
	{ { " ,REALM = \"r\" ,nonce=n,stale=false," },
		"Digest username=\"Mufasa\", realm=\"r\", nonce=\"n\", uri=\"/dir/index.html\", "
		"response=\"0bab5c24c08a1ef94a6cc3d446ce558a\", algorithm=MD5" },
};

static const struct http_digest_login http_digest_test_login = { "Mufasa", "Circle of Life", "GET",
	"/dir/index.html", CNONCE };

static void
http_digest_test_row(size_t i)
{
	struct http_digest digest = { .algorithm = NULL };
	char out[HTTP_DIGEST_ANSWER] = "";
	for (size_t j = 0; j < 2 && http_digest_test_rows[i].challenges[j] != NULL; j++)
		http_digest_take(&digest, http_digest_test_rows[i].challenges[j]);
	CHECK((digest.algorithm != NULL) == (http_digest_test_rows[i].answer != NULL));
	if (digest.algorithm == NULL || http_digest_test_rows[i].answer == NULL)
		return;
	CHECK(http_digest_answer(&digest, &http_digest_test_login, out));
	CHECK(strcmp(out, http_digest_test_rows[i].answer) == 0);
}

/* No text of the user ends the field, or its own value. */
static void
http_digest_test_users(void)
{
	struct http_digest digest = { .algorithm = NULL };
	struct http_digest_login login = http_digest_test_login;
	char out[HTTP_DIGEST_ANSWER], user[HTTP_DIGEST_VALUE + 1];
	http_digest_take(&digest, CHALLENGE("MD5"));
	login.user = "a\r\nX: y";
	CHECK(!http_digest_answer(&digest, &login, out));
	login.user = "a\"b\\c";
	CHECK(http_digest_answer(&digest, &login, out));
	CHECK(strstr(out, "username=\"a\\\"b\\\\c\",") != NULL);
	memset(user, 'u', sizeof user);
	user[HTTP_DIGEST_VALUE] = '\0';
	login.user = user;
	CHECK(!http_digest_answer(&digest, &login, out));
	login = http_digest_test_login;
	login.cnonce = NULL;
	login.password = NULL;
	CHECK(http_digest_answer(&digest, &login, out));
}

int
main(void)
{
	for (size_t i = 0; i < sizeof http_digest_test_rows / sizeof http_digest_test_rows[0]; i++)
		http_digest_test_row(i);
	http_digest_test_users();
	return check_verdict("http_digest");
}
