#include "link/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum rc
stream_begin(struct stream *s, int fd, struct ssl_ctx_st *ctx, bool server,
    struct err *e)
{
	int	 flags = fcntl(fd, F_GETFL);

	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->wants = POLLIN;
	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) {
		(void)err_set(e, "%s", strerror(errno));
		stream_end(s);
		return RC_FAILED;
	}
	if (ctx == NULL)
		return RC_OK;
	if ((s->ssl = SSL_new(ctx)) == NULL || SSL_set_fd(s->ssl, fd) != 1) {
		stream_end(s);
		return err_set(e, "no memory for TLS");
	}
	if (server)
		SSL_set_accept_state(s->ssl);
	else
		SSL_set_connect_state(s->ssl);
	return RC_OK;
}

void
stream_end(struct stream *s)
{
	if (s->ssl != NULL) {
		/* It is polite, and not waited for. */
		if (SSL_is_init_finished(s->ssl))
			(void)SSL_shutdown(s->ssl);
		SSL_free(s->ssl);
		ERR_clear_error();
	}
	if (s->fd != -1)
		(void)close(s->fd);
	s->ssl = NULL;
	s->fd = -1;
}

/* Of a call of OpenSSL's that did not go through. */
static int
later(struct stream *s, int rc, struct err *why)
{
	int		 how = SSL_get_error(s->ssl, rc), saved = errno;
	unsigned long	 n = ERR_peek_error();
	const char	*text = n != 0 ? ERR_reason_error_string(n) : NULL;

	ERR_clear_error();
	if (how == SSL_ERROR_WANT_READ || how == SSL_ERROR_WANT_WRITE) {
		s->wants = how == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		return 0;
	}
	if (how == SSL_ERROR_ZERO_RETURN)
		(void)err_set(why, "gone");
	else if (text != NULL)
		(void)err_set(why, "TLS: %s", text);
	else
		(void)err_set(why, "%s", saved != 0 ? strerror(saved) :
		    "gone");
	return -1;
}

int
stream_shake(struct stream *s, struct err *why)
{
	int	 rc;

	if (s->ssl == NULL)
		return 1;
	ERR_clear_error();
	errno = 0;
	rc = SSL_do_handshake(s->ssl);
	return rc == 1 ? 1 : later(s, rc, why);
}

static ssize_t
plain(struct stream *s, ssize_t n, short wants, struct err *why)
{
	if (n > 0)
		return n;
	if (n < 0 && (errno == EINTR || errno == EAGAIN ||
	    errno == EWOULDBLOCK)) {
		s->wants = wants;
		return 0;
	}
	(void)err_set(why, "%s", n < 0 ? strerror(errno) : "gone");
	return -1;
}

ssize_t
stream_read(struct stream *s, void *buf, size_t room, struct err *why)
{
	int	 rc;

	if (s->ssl == NULL)
		return plain(s, read(s->fd, buf, room), POLLIN, why);
	ERR_clear_error();
	errno = 0;
	rc = SSL_read(s->ssl, buf, room > INT_MAX ? INT_MAX : (int)room);
	return rc > 0 ? rc : later(s, rc, why);
}

ssize_t
stream_write(struct stream *s, const void *buf, size_t len, struct err *why)
{
	int	 rc;

	if (s->ssl == NULL)
		return plain(s, send(s->fd, buf, len, MSG_NOSIGNAL), POLLOUT,
		    why);
	ERR_clear_error();
	errno = 0;
	rc = SSL_write(s->ssl, buf, len > INT_MAX ? INT_MAX : (int)len);
	return rc > 0 ? rc : later(s, rc, why);
}

bool
stream_pending(const struct stream *s)
{
	return s->ssl != NULL && SSL_pending(s->ssl) > 0;
}
