/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What agent (in a guest) and guestctl (in dom0) say to each other over the
 * guest's console, which the guest's kernel writes to as well, in the middle
 * of a line if it likes.
 *
 *   dom0 to guest, one line each:
 *     "run ID BASE64\n"     start `bash -c TEXT`
 *     "send ID SEQ\n"       (re)send answer SEQ of ID, if it exists
 *     "done ID\n"           ID's answers may be forgotten
 *   guest to dom0:
 *     "\n@rig ID SEQ TYPE BASE64 CRC@\n"
 *
 * ID is unique per call, SEQ counts from 0, TYPE is 'o' (stdout), 'e'
 * (stderr) or 'x' (the end; the payload is the exit status).  CRC covers all
 * between "@rig " and the blank before it.  Each line to the guest ends in a
 * blank and such a CRC, too.  What arrives damaged is asked for again, so
 * nothing is lost, doubled or taken for something else.
 */
#ifndef RIG_FRAME_H
#define RIG_FRAME_H

#include <stdint.h>
#include <stddef.h>
#include <string.h>

#define FRAME_HEAD	"@rig "
#define FRAME_DATA	384		/* payload bytes in one frame */
#define FRAME_MAX	1024		/* a whole frame's text, at most */
#define REQUEST_MAX	(256 * 1024)	/* a request's line, at most */

static inline uint32_t frame_crc(const char *p, size_t len)
{
	uint32_t crc = ~0u;
	int bit;

	while (len--) {
		crc ^= (unsigned char)*p++;
		for (bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0xedb88320u & -(crc & 1));
	}
	return ~crc;
}

static const char frame_b64[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* An empty payload is "-", so that every field holds something. */
static inline size_t frame_encode(const void *data, size_t len, char *out)
{
	const unsigned char *p = data;
	char *q = out;
	size_t i;

	if (!len) {
		strcpy(out, "-");
		return 1;
	}
	for (i = 0; i < len; i += 3) {
		uint32_t v = p[i] << 16;

		if (i + 1 < len)
			v |= p[i + 1] << 8;
		if (i + 2 < len)
			v |= p[i + 2];
		*q++ = frame_b64[v >> 18];
		*q++ = frame_b64[(v >> 12) & 63];
		*q++ = i + 1 < len ? frame_b64[(v >> 6) & 63] : '=';
		*q++ = i + 2 < len ? frame_b64[v & 63] : '=';
	}
	*q = '\0';
	return q - out;
}

/* Returns the number of bytes, or -1; out holds at least 3/4 of len. */
static inline long frame_decode(const char *in, size_t len, char *out)
{
	const char *pos;
	uint32_t v = 0;
	size_t i;
	long n = 0;
	int pad = 0;

	if (len == 1 && *in == '-')
		return 0;
	if (!len || len % 4)
		return -1;
	for (i = 0; i < len; i++) {
		v <<= 6;
		if (in[i] == '=') {
			if (i + 2 < len)
				return -1;
			pad++;
		} else {
			pos = memchr(frame_b64, in[i], 64);
			if (!pos || pad)
				return -1;
			v |= pos - frame_b64;
		}
		if (i % 4 == 3) {
			out[n++] = v >> 16;
			if (pad < 2)
				out[n++] = v >> 8;
			if (pad < 1)
				out[n++] = v;
			v = 0;
		}
	}
	return n;
}

#endif
