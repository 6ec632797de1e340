// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* pack.h: every packet that fits finds its place, however it is cut. */

#include "test.h"

#include "pack.h"

static bool invariant(const struct xenvif_pack *pack)
{
	return pack->rest <= pack->room + (u64)pack->bufs * pack->size;
}

struct result {
	u32 pieces;
	u32 opened;
};

/* Place chunks[0..n); each step must keep the invariant and place something. */
static struct result pack_all(struct xenvif_pack pack, const u32 *chunks, u32 n)
{
	u32 bufs = pack.bufs, i, left, len, total = 0;
	struct result res = { 0 };
	bool fresh;

	for (i = 0; i < n; i++)
		total += chunks[i];
	assert_int_equal(total, pack.rest);
	assert_true(xenvif_pack_fits(&pack));

	for (i = 0; i < n; i++) {
		for (left = chunks[i]; left; left -= len) {
			struct xenvif_pack was = pack;

			len = xenvif_pack_next(&pack, left, &fresh);
			res.pieces++;
			res.opened += fresh;
			assert_in_range(len, 1, left);
			assert_true(invariant(&pack));
			assert_int_equal(pack.rest, was.rest - len);
			assert_int_equal(pack.bufs, was.bufs - fresh);
			assert_int_equal(pack.room, (fresh ? was.size : was.room) - len);
			assert_true(pack.room <= was.size || !fresh);
			/* A chunk is only cut if the buffer is full then. */
			if (len < left)
				assert_int_equal(pack.room, 0);
			/* What fits whole joins what is there. */
			if (was.room >= left)
				assert_true(!fresh && len == left);
		}
	}
	assert_int_equal(pack.rest, 0);
	assert_in_range(res.opened, 0, bufs);
	/* A piece for each chunk, and one more for each buffer that ends in one. */
	assert_in_range(res.pieces, n, n + bufs + 1);
	return res;
}

static void test_fits(void **state)
{
	struct xenvif_pack pack = { .rest = 10, .room = 2, .bufs = 2, .size = 4 };

	UNUSED(state);
	assert_true(xenvif_pack_fits(&pack));
	pack.rest = 11;
	assert_false(xenvif_pack_fits(&pack));
	pack = (struct xenvif_pack){ .rest = 0, .room = 0, .bufs = 0, .size = 4 };
	assert_true(xenvif_pack_fits(&pack));
	pack.rest = 1;
	assert_false(xenvif_pack_fits(&pack));
	/* The product is wider than 32 bits. */
	pack = (struct xenvif_pack){ .rest = ~0U, .room = 0, .bufs = ~0U, .size = ~0U };
	assert_true(xenvif_pack_fits(&pack));
}

/* Tables of copy operations: where each piece goes. */
static void test_tables(void **state)
{
	static const struct {
		struct xenvif_pack pack;
		u32 chunk[4];
		struct { u32 len; bool fresh; } piece[6];
	} table[] = {
		/* one chunk, one buffer */
		{ { 100, 0, 2, 4096 }, { 100 }, { { 100, true } } },
		/* one chunk that the linear area takes */
		{ { 100, 100, 2, 4096 }, { 100 }, { { 100, false } } },
		/* a full page does not fill the gap, if it need not */
		{ { 4196, 3000, 2, 4096 }, { 100, 4096 }, { { 100, false }, { 4096, true } } },
		/* ... but if it must */
		{ { 4196, 3000, 1, 4095 }, { 100, 4096 },
		  { { 100, false }, { 2900, false }, { 1196, true } } },
		/* two chunks, one buffer */
		{ { 200, 0, 1, 4096 }, { 100, 100 }, { { 100, true }, { 100, false } } },
		/* one chunk, two buffers */
		{ { 5000, 0, 2, 4096 }, { 5000 }, { { 4096, true }, { 904, true } } },
		/* two chunks, the second fills up, one more takes the rest */
		{ { 8192, 0, 2, 4096 }, { 2000, 4096, 2096 },
		  { { 2000, true }, { 2096, false }, { 2000, true }, { 2096, false } } },
		/* a buffer that is just full is left */
		{ { 4097, 0, 2, 4096 }, { 4096, 1 }, { { 4096, true }, { 1, true } } },
	};
	u32 i, j, k, left, len;
	bool fresh;

	UNUSED(state);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct xenvif_pack pack = table[i].pack;

		assert_true(xenvif_pack_fits(&pack));
		for (j = 0, k = 0; j < 4; j++) {
			for (left = table[i].chunk[j]; left; left -= len, k++) {
				len = xenvif_pack_next(&pack, left, &fresh);
				assert_int_equal(len, table[i].piece[k].len);
				assert_int_equal(fresh, table[i].piece[k].fresh);
			}
		}
		assert_int_equal(table[i].piece[k].len, 0);
		assert_int_equal(pack.rest, 0);
	}
}

static void cut(struct xenvif_pack pack, u32 total, u32 *chunks, u32 n, u64 *count)
{
	u32 len;

	if (!total) {
		pack_all(pack, chunks, n);
		++*count;
		return;
	}
	for (len = 1; len <= total; len++) {
		chunks[n] = len;
		cut(pack, total - len, chunks, n + 1, count);
	}
}

/* Every way of cutting every small packet, for every small shape. */
static void test_exhaustive(void **state)
{
	u32 total, room, bufs, size, chunks[16];
	u64 count = 0;

	UNUSED(state);
	for (size = 1; size <= 5; size++)
		for (room = 0; room <= 5; room++)
			for (bufs = 0; bufs <= 5; bufs++)
				for (total = 1; total <= 10; total++)
					if (total <= room + bufs * size)
						cut((struct xenvif_pack){ total, room, bufs, size },
						    total, chunks, 0, &count);
	assert_true(count > 10000);
}

static u32 random_cut(u32 total, u32 *chunks, u32 max)
{
	u32 n = 0, len;

	while (total) {
		switch (random_in(0, 4)) {
		case 0:
			len = random_in(1, 7);
			break;
		case 1:
			len = 4096;
			break;
		case 2:
			len = random_in(4080, 4096);
			break;
		default:
			len = random_in(1, 4096);
			break;
		}
		if (len > total || n == max - 1)
			len = total;
		chunks[n++] = len;
		total -= len;
	}
	return n;
}

/* Guest-TX's shape: a linear area, and 17 pages, up to 65535 bytes. */
static void test_random_tx(void **state)
{
	static u32 chunks[65536];
	u32 i;

	UNUSED(state);
	for (i = 0; i < 200000; i++) {
		u32 room = random_in(0, 3840);
		u32 total = random_in(1, 65535);

		if (total > room + 17 * 4096)
			continue;
		pack_all((struct xenvif_pack){ total, room, 17, 4096 }, chunks,
			 random_cut(total, chunks, 64));
	}
}

/* Guest-RX's: no linear area, as few buffers as can be. */
static void test_random_rx(void **state)
{
	static u32 chunks[65536];
	u32 i;

	UNUSED(state);
	for (i = 0; i < 200000; i++) {
		u32 size = random_in(0, 1) ? 4096 : 4096 - random_in(0, 256);
		u32 total = random_in(1, 18 * size);
		u32 least = (total + size - 1) / size;
		u32 bufs = random_in(0, 2) ? least : random_in(least, 18);

		pack_all((struct xenvif_pack){ total, 0, bufs, size }, chunks,
			 random_cut(total, chunks, 200));
	}
}

/* Full pages are never cut as long as there are as many buffers. */
static void test_pages_whole(void **state)
{
	u32 chunks[18], i;
	struct result res;

	UNUSED(state);
	for (i = 0; i < 16; i++)
		chunks[i] = 4096;
	chunks[0] = 66;
	res = pack_all((struct xenvif_pack){ 66 + 15 * 4096, 0, 18, 4096 }, chunks, 16);
	assert_int_equal(res.pieces, 16);
	assert_int_equal(res.opened, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fits),
		TEST(test_tables),
		TEST(test_exhaustive),
		TEST(test_random_tx),
		TEST(test_random_rx),
		TEST(test_pages_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
