/*
 * QR codes (ISO/IEC 18004, error correction M), for what a telephone is to
 * read: seeds of second factors.
 *
 * What a code shows is mostly a secret, and so is its picture: the callers
 * give it to nobody else, and qr_wipe() it.
 */
#ifndef LIB_QR_H
#define LIB_QR_H

#include <stddef.h>

#include "lib/err.h"
#include "lib/text.h"

#define QR_BYTES_MAX	2331

enum qr_style {
	QR_BLOCKS,	/* UTF-8 half blocks, black on white whatever the
			 * terminal's colours are */
	QR_ASCII,	/* "##" is dark: for a terminal that is light, or
			 * paper */
};

/* All give a new C string in *out; *out was NULL. */
enum rc qr_terminal(char **out, struct text t, enum qr_style style,
    struct err *e) MUST_CHECK;
/* A whole SVG document, 4 modules of margin. */
enum rc qr_svg(char **out, struct text t, struct err *e) MUST_CHECK;
/* A PNG file's bytes: grey, 8 pixels a module. */
enum rc qr_png(unsigned char **out, size_t *len_out, struct text t,
    struct err *e) MUST_CHECK;

/* Wipes and frees what the above gave; strings: len is strlen().  NULL is
 * fine. */
void qr_wipe(void *p, size_t len);

#endif
