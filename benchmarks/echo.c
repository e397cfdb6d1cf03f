/* echo: the least that a daemon with a socket for each port can do with a packet, the floor below every other.
 *
 *     echo ADDRESS FIRST-PORT PORTS
 *
 * Binds so many UDP ports, and sends each packet back to where it came from, from the socket that it came to: epoll,
 * recvfrom, sendto, and nothing else. Writes a line with the number of ports to standard output when it is ready, and
 * runs until it is killed. Exit code 1 with a line on standard error when it cannot start.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 64                     /* sockets that one look tells of */

static void fail(const char *what) {
    fprintf(stderr, "echo: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void open_port(int poll, struct in_addr address, int port) {
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr = address, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("cannot open a socket");
    if (bind(fd, (struct sockaddr *)&local, sizeof local) != 0) fail("cannot bind a port");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) fail("cannot watch a socket");
}

static void echo_one(int fd) {
    static unsigned char packet[65536];
    struct sockaddr_in source;
    socklen_t length = sizeof source;
    ssize_t size = recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&source, &length);
    if (size >= 0) sendto(fd, packet, (size_t)size, 0, (struct sockaddr *)&source, length);
}

int main(int argc, char **argv) {
    struct epoll_event events[EVENTS];
    struct in_addr address;
    if (argc != 4 || inet_pton(AF_INET, argv[1], &address) != 1) {
        fputs("usage: echo ADDRESS FIRST-PORT PORTS\n", stderr);
        return 1;
    }
    int first = atoi(argv[2]), ports = atoi(argv[3]), poll = epoll_create1(EPOLL_CLOEXEC);
    if (first < 1 || ports < 1 || first + ports > 65536) {
        fputs("echo: there are no such ports\n", stderr);
        return 1;
    }
    if (poll < 0) fail("cannot poll");
    for (int i = 0; i < ports; i++) open_port(poll, address, first + i);
    printf("%d\n", ports);
    fflush(stdout);
    for (;;) {
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) echo_one(events[i].data.fd);
    }
}
