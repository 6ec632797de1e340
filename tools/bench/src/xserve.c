// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xserve: runs in a guest what domcpu in dom0 asks for, over the network and
 * not the console, whose service would be measured, too.
 */
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "xserve.h"

int main(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(XSERVE_PORT) };
	int lis = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(lis, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(lis, (struct sockaddr *)&in, sizeof(in)) || listen(lis, 64)) {
		perror("xserve");
		return 1;
	}
	if (daemon(0, 0))
		return 1;
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept4(lis, NULL, NULL, SOCK_CLOEXEC);
		char line[8192];
		size_t used = 0;

		if (fd < 0)
			continue;
		while (used < sizeof(line) - 1 &&
		       read(fd, line + used, 1) == 1 && line[used] != '\n')
			used++;
		line[used] = '\0';
		xserve_run(fd, line);
		close(fd);
	}
}
