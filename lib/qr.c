#include "lib/qr.h"

#include <assert.h>
#include <png.h>
#include <qrencode.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN	4	/* ISO/IEC 18004: the quiet zone */
#define PIXELS	8

static enum rc
encode(QRcode **out, struct text t, struct err *e)
{
	if (t.p == NULL || t.len == 0 || t.len > QR_BYTES_MAX)
		return err_set(e, "QR code: 1 to %d bytes", QR_BYTES_MAX);
	*out = QRcode_encodeData((int)t.len, (const unsigned char *)t.p, 0,
	    QR_ECLEVEL_M);
	if (*out == NULL)
		return err_set(e, "QR code: it does not fit");
	return RC_OK;
}

static void
forget(QRcode *q)
{
	sodium_memzero(q->data, (size_t)q->width * (size_t)q->width);
	QRcode_free(q);
}

/* With the margin; it is light. */
static int
side(const QRcode *q)
{
	return q->width + 2 * MARGIN;
}

static bool
dark(const QRcode *q, int x, int y)
{
	x -= MARGIN;
	y -= MARGIN;
	return x >= 0 && y >= 0 && x < q->width && y < q->width &&
	    (q->data[y * q->width + x] & 1) != 0;
}

/* Memory that text is put into; `room` was computed. */
struct out {
	char	*p;
	size_t	 len, room;
};

static void
add(struct out *o, const char *s)
{
	size_t	 n = strlen(s);

	assert(o->len + n < o->room);
	memcpy(o->p + o->len, s, n + 1);
	o->len += n;
}

static void
blocks(struct out *o, const QRcode *q)
{
	/* Space, upper half, lower half, both. */
	static const char *const half[] = {
		" ", "\xe2\x96\x80", "\xe2\x96\x84", "\xe2\x96\x88"
	};
	int	 x, y, n = side(q);

	for (y = 0; y < n; y += 2) {
		add(o, "\033[30;107m");
		for (x = 0; x < n; x++)
			add(o, half[dark(q, x, y) | dark(q, x, y + 1) << 1]);
		add(o, "\033[0m\n");
	}
}

static void
ascii(struct out *o, const QRcode *q)
{
	int	 x, y, n = side(q);

	for (y = 0; y < n; y++) {
		for (x = 0; x < n; x++)
			add(o, dark(q, x, y) ? "##" : "  ");
		add(o, "\n");
	}
}

/* One path of what is dark, a rectangle for each run in a row. */
static void
svg(struct out *o, const QRcode *q)
{
	char	 text[256];
	int	 x, y, run, n = side(q);

	(void)snprintf(text, sizeof(text), "<svg xmlns=\"http://www.w3.org/"
	    "2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
	    "shape-rendering=\"crispEdges\"><path fill=\"#fff\" "
	    "d=\"M0 0h%dv%dH0z\"/><path d=\"", n, n, n * PIXELS, n * PIXELS,
	    n, n);
	add(o, text);
	for (y = 0; y < n; y++)
		for (x = 0; x < n; x += run) {
			for (run = 0; x + run < n && dark(q, x + run, y);
			    run++)
				;
			(void)snprintf(text, sizeof(text), "M%d %dh%dv1h-%dz",
			    x, y, run, run);
			if (run > 0)
				add(o, text);
			else
				run = 1;
		}
	add(o, "\"/></svg>\n");
}

static enum rc
draw(char **out, struct text t, size_t per_module, void (*how)(struct out *,
    const QRcode *), struct err *e)
{
	struct out	 o = { NULL, 0, 0 };
	QRcode		*q = NULL;
	size_t		 n;
	enum rc		 rc;

	assert(*out == NULL);
	if ((rc = encode(&q, t, e)) != RC_OK)
		return rc;
	n = (size_t)side(q);
	o.room = 512 + (n * per_module + 16) * n;
	if ((o.p = malloc(o.room)) == NULL)
		rc = err_set(e, "QR code: no memory");
	else {
		how(&o, q);
		*out = o.p;
	}
	forget(q);
	return rc;
}

enum rc
qr_terminal(char **out, struct text t, enum qr_style style, struct err *e)
{
	return draw(out, t, 3, style == QR_BLOCKS ? blocks : ascii, e);
}

enum rc
qr_svg(char **out, struct text t, struct err *e)
{
	/* Every second module begins a run, of at most 20 characters. */
	return draw(out, t, 12, svg, e);
}

static enum rc
compress(unsigned char **out, size_t *len_out, const unsigned char *grey,
    int n, struct err *e)
{
	png_image	 image;
	png_alloc_size_t len = 0;

	memset(&image, 0, sizeof(image));
	image.version = PNG_IMAGE_VERSION;
	image.width = image.height = (png_uint_32)n;
	image.format = PNG_FORMAT_GRAY;
	len = PNG_IMAGE_PNG_SIZE_MAX(image);
	if ((*out = malloc(len)) == NULL)
		return err_set(e, "QR code: no memory");
	if (png_image_write_to_memory(&image, *out, &len, 0, grey, n,
	    NULL) == 0) {
		free(*out);
		*out = NULL;
		return err_set(e, "QR code: %s", image.message);
	}
	*len_out = len;
	return RC_OK;
}

enum rc
qr_png(unsigned char **out, size_t *len_out, struct text t, struct err *e)
{
	unsigned char	*grey;
	QRcode		*q = NULL;
	size_t		 x, y, n;
	enum rc		 rc;

	assert(*out == NULL);
	if ((rc = encode(&q, t, e)) != RC_OK)
		return rc;
	n = (size_t)side(q) * PIXELS;
	if ((grey = malloc(n * n)) == NULL)
		rc = err_set(e, "QR code: no memory");
	else {
		for (y = 0; y < n; y++)
			for (x = 0; x < n; x++)
				grey[y * n + x] = dark(q, (int)(x / PIXELS),
				    (int)(y / PIXELS)) ? 0 : 255;
		rc = compress(out, len_out, grey, (int)n, e);
		qr_wipe(grey, n * n);
	}
	forget(q);
	return rc;
}

void
qr_wipe(void *p, size_t len)
{
	if (p == NULL)
		return;
	sodium_memzero(p, len);
	free(p);
}
