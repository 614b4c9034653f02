#include "link/pinned.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/sha256.h"

#define FILE_MAX	((size_t)64 << 10)
#define CHAIN_MAX	4096	/* bytes of certificates from the other side */

/* OpenSSL's newest reason, behind what we could not do. */
static enum rc
failed(struct err *e, const char *what)
{
	unsigned long	 n = ERR_peek_last_error();
	const char	*why = n != 0 ? ERR_reason_error_string(n) : NULL;

	(void)err_set(e, "%s: %s", what, why != NULL ? why : "failed");
	ERR_clear_error();
	return RC_FAILED;
}

/* Pins */

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The digits alone, whatever comes behind them. */
static bool
parse(unsigned char out[32], const char *hex, size_t len)
{
	size_t	 i;

	if (len < PINNED_HEX)
		return false;
	for (i = 0; i < 32; i++) {
		int	 hi = digit(hex[2 * i]), lo = digit(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out[i] = (unsigned char)(hi << 4 | lo);
	}
	return true;
}

bool
pinned_parse(unsigned char out[32], const char *hex)
{
	return strlen(hex) == PINNED_HEX && parse(out, hex, PINNED_HEX);
}

static void
print(char hex[PINNED_HEX + 1], const unsigned char hash[32])
{
	static const char	 digits[] = "0123456789abcdef";
	size_t			 i;

	for (i = 0; i < 32; i++) {
		hex[2 * i] = digits[hash[i] >> 4];
		hex[2 * i + 1] = digits[hash[i] & 15];
	}
	hex[PINNED_HEX] = '\0';
}

static enum rc
read_whole(char *buf, size_t *len_out, const char *path, struct err *e)
{
	ssize_t	 n = 1;
	size_t	 len = 0;
	int	 fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	while (len <= FILE_MAX && n > 0) {
		n = read(fd, buf + len, FILE_MAX + 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	if (n < 0)
		(void)err_set(e, "%s: %s", path, strerror(errno));
	(void)close(fd);
	if (n < 0)
		return RC_FAILED;
	if (len > FILE_MAX)
		return err_set(e, "%s: larger than %zu KiB", path,
		    FILE_MAX >> 10);
	*len_out = len;
	return RC_OK;
}

static enum rc
take_line(struct pinned_keys *k, const char *p, size_t len, struct err *e)
{
	unsigned char	 hash[32];
	size_t		 i;

	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t' ||
	    p[len - 1] == '\r'))
		len--;
	if (len == 0 || p[0] == '#')
		return RC_OK;
	if (!parse(hash, p, len) || (len > PINNED_HEX &&
	    p[PINNED_HEX] != ' ' && p[PINNED_HEX] != '\t'))
		return err_set(e, "a pin is %d hexadecimal digits, and a "
		    "blank before its comment", PINNED_HEX);
	for (i = 0; i < k->n; i++) {
		if (memcmp(k->hash[i], hash, 32) == 0)
			return err_set(e, "this pin for the second time");
	}
	if (k->n == PINNED_MAX)
		return err_set(e, "more than %d pins", PINNED_MAX);
	memcpy(k->hash[k->n++], hash, 32);
	return RC_OK;
}

enum rc
pinned_read(struct pinned_keys *out, const char *path, struct err *e)
{
	char	*buf = malloc(FILE_MAX + 1), *p, *end, *nl;
	size_t	 len = 0;
	int	 line = 1;
	enum rc	 rc;

	memset(out, 0, sizeof(*out));
	if (buf == NULL)
		return err_set(e, "no memory");
	rc = read_whole(buf, &len, path, e);
	for (p = buf, end = buf + len; rc == RC_OK && p < end; line++) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end;
		rc = err_wrap(e, take_line(out, p, (size_t)(nl - p), e),
		    "%s:%d", path, line);
		p = nl < end ? nl + 1 : end;
	}
	free(buf);
	return rc;
}

/* Identities */

static bool
hash_of(unsigned char out[32], X509 *cert)
{
	unsigned char	*der = NULL;
	int		 len;

	len = cert == NULL ? -1 :
	    i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	if (len <= 0)
		return false;
	sha256(out, der, (size_t)len);
	OPENSSL_free(der);
	return true;
}

/* Good for ever, of nobody: only its key is looked at. */
static X509 *
self_signed(EVP_PKEY *key)
{
	X509		*c = X509_new();
	X509_NAME	*name;

	if (c == NULL)
		return NULL;
	name = X509_get_subject_name(c);
	if (X509_set_version(c, 2) == 1 &&
	    ASN1_INTEGER_set(X509_get_serialNumber(c), 1) == 1 &&
	    ASN1_TIME_set_string(X509_getm_notBefore(c),
	    "19700101000000Z") == 1 &&
	    ASN1_TIME_set_string(X509_getm_notAfter(c),
	    "99991231235959Z") == 1 &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"drawbridge", -1, -1, 0) == 1 &&
	    X509_set_issuer_name(c, name) == 1 &&
	    X509_set_pubkey(c, key) == 1 && X509_sign(c, key, NULL) > 0)
		return c;
	X509_free(c);
	return NULL;
}

static enum rc
write_new(const char *path, const char *p, size_t len, struct err *e)
{
	ssize_t	 n = 0;
	size_t	 at = 0;
	int	 fd;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd == -1)
		return err_set(e, "%s", strerror(errno));
	while (at < len && (n = write(fd, p + at, len - at)) > 0)
		at += (size_t)n;
	if (at < len || fsync(fd) != 0) {
		(void)err_set(e, "%s", strerror(errno));
		(void)close(fd);
		(void)unlink(path);
		return RC_FAILED;
	}
	return close(fd) == 0 ? RC_OK : err_set(e, "%s", strerror(errno));
}

static enum rc
make(const char *path, struct err *e)
{
	EVP_PKEY	*key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	X509		*cert = key != NULL ? self_signed(key) : NULL;
	BIO		*out = BIO_new(BIO_s_secmem());
	char		*p = NULL;
	long		 len;
	enum rc		 rc;

	if (cert == NULL || out == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL,
	    NULL) != 1 || PEM_write_bio_X509(out, cert) != 1 ||
	    (len = BIO_get_mem_data(out, &p)) <= 0)
		rc = failed(e, "a new key");
	else
		rc = write_new(path, p, (size_t)len, e);
	BIO_free_all(out);
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}

enum rc
pinned_make(const char *path, struct err *e)
{
	return err_wrap(e, make(path, e), "%s", path);
}

static enum rc
read_identity(EVP_PKEY **key, X509 **cert, const char *path, struct err *e)
{
	char	*buf = malloc(FILE_MAX + 1);
	BIO	*in = NULL;
	size_t	 len = 0;
	enum rc	 rc;

	if (buf == NULL)
		return err_set(e, "no memory");
	if ((rc = read_whole(buf, &len, path, e)) != RC_OK)
		goto done;
	if ((in = BIO_new_mem_buf(buf, (int)len)) == NULL ||
	    (*key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL)) == NULL ||
	    (*cert = PEM_read_bio_X509(in, NULL, NULL, NULL)) == NULL)
		rc = failed(e, "no key with a certificate behind it");
	else if (EVP_PKEY_get_base_id(*key) != EVP_PKEY_ED25519 ||
	    X509_check_private_key(*cert, *key) != 1)
		rc = err_set(e, "not an Ed25519 key and its own certificate");
	(void)err_wrap(e, rc, "%s", path);
done:
	BIO_free_all(in);
	OPENSSL_cleanse(buf, FILE_MAX + 1);
	free(buf);
	return rc;
}

enum rc
pinned_of(char hex[PINNED_HEX + 1], const char *path, struct err *e)
{
	EVP_PKEY	*key = NULL;
	X509		*cert = NULL;
	unsigned char	 hash[32];
	enum rc		 rc;

	rc = read_identity(&key, &cert, path, e);
	if (rc == RC_OK && !hash_of(hash, cert))
		rc = failed(e, path);
	if (rc == RC_OK)
		print(hex, hash);
	EVP_PKEY_free(key);
	X509_free(cert);
	return rc;
}

/* Handshakes */

/* Instead of the whole of X.509's checks: that the other side has the key of
 * this certificate is what TLS itself proves. */
static int
is_pinned(X509_STORE_CTX *store, void *arg)
{
	const struct pinned_keys	*pins = arg;
	unsigned char			 hash[32];
	size_t				 i;

	if (hash_of(hash, X509_STORE_CTX_get0_cert(store))) {
		for (i = 0; i < pins->n; i++) {
			if (memcmp(pins->hash[i], hash, 32) == 0)
				return 1;
		}
	}
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

static bool
set_up(SSL_CTX *c, const struct pinned_keys *pins)
{
	/* OpenSSL's macros would cast a literal's const away. */
	static char	 groups[] = "X25519:P-256", algorithms[] = "ed25519";
	/* It hands the argument back as it was. */
	void	*arg = (void *)(uintptr_t)pins;

	SSL_CTX_set_verify(c, SSL_VERIFY_PEER |
	    SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(c, is_pinned, arg);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
	    SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_max_cert_list(c, CHAIN_MAX);
	return SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_ciphersuites(c, "TLS_AES_256_GCM_SHA384:"
	    "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
	    SSL_CTX_set1_groups_list(c, groups) == 1 &&
	    SSL_CTX_set1_sigalgs_list(c, algorithms) == 1 &&
	    SSL_CTX_set_num_tickets(c, 0) == 1 &&
	    SSL_CTX_set_max_early_data(c, 0) == 1;
}

enum rc
pinned_context(struct ssl_ctx_st **out, bool server, const char *identity,
    const struct pinned_keys *pins, struct err *e)
{
	EVP_PKEY	*key = NULL;
	X509		*cert = NULL;
	SSL_CTX		*c = NULL;
	enum rc		 rc;

	assert(*out == NULL);
	/* What openssl.cnf says about versions and providers is for others. */
	(void)OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if ((rc = read_identity(&key, &cert, identity, e)) != RC_OK)
		goto done;
	c = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	if (c == NULL || !set_up(c, pins) ||
	    SSL_CTX_use_certificate(c, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(c, key) != 1) {
		rc = failed(e, "TLS");
		goto done;
	}
	*out = c;
	c = NULL;
done:
	SSL_CTX_free(c);
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}

bool
pinned_peer(char hex[PINNED_HEX + 1], struct ssl_st *ssl)
{
	unsigned char	 hash[32];

	if (!hash_of(hash, SSL_get0_peer_certificate(ssl)))
		return false;
	print(hex, hash);
	return true;
}
