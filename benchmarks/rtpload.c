/* rtpload: sends paced RTP over many flows through a relay and counts what arrives at the far ends.
 *
 *     rtpload --rate PPS [--warmup S] [--warmup-rate PPS] [--seconds S] [--linger S] [--payload BYTES] [--cpu-of PID]
 *             [--burst PACKETS] [--run NUMBER] [--protected FILE --sample FILE --overhead BYTES] < ends
 *
 * Standard input has one end (a phone's media socket) per line: `LOCAL-ADDRESS LOCAL-PORT RELAY-ADDRESS RELAY-PORT
 * PARTNER`, addresses numeric, PARTNER being the number of the line (from 0) whose packets should arrive here. Each end
 * sends one flow; packet number i leaves at its own point of time, start + i / rate, from end i mod N, so the load is
 * even and the relay sees no bursts of our making. Standard output gets one JSON object; it counts the packets of the
 * measured period alone, whenever they arrive (strays always, as they cannot be told apart,
 * and late ones, which say that the generator was disturbed). Those that arrive more than GRACE after the end of the
 * period count as overdue too: a relay that cannot keep pace has them in its sockets, and loses nothing until these are
 * full. Exit code 0, or 1 with a line on standard error.
 *
 * What limits the generator is one `send` a packet. To overload a relay there is --burst: in the measured period so many
 * packets of an end leave together, as one `send` that the kernel divides (UDP_SEGMENT); the rate stays what it is.
 *
 * A line with the word `protected` at its end is that of a phone with SRTP: no key is known here. What it sends was
 * protected before, under the SSRC that belongs to the --run, and is read from the --protected FILE: for each such end
 * in turn its packets from number 0 on, as many for each, all of the same length, which is that of a clear packet and
 * --overhead more. What arrives at it is counted by its header and length, and each SAMPLE-th packet of a flow goes to
 * the --sample FILE, after the number of the end in four octets, for someone with the keys to look at.
 *
 * One thread, which never sleeps in the measured period and is woken by nobody: sockets are read in turn, each once in
 * SWEEP, and the kernel's arrival time stamps give the delay. The relay pays for no wake-up of ours, and reading costs
 * little, as packets have come together.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/udp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RTP_HEADER 12
#define PAYLOAD_MAX 1200
#define OVERHEAD_MAX 64
#define SAMPLE 16
#define ENDS_MAX 65536                /* an SSRC is 0x52, then 8 bits for the run, then 16 for the end */
#define SSRC_FAMILY 0x52000000u
#define WINDOW 1024                   /* sequence numbers of a flow that can be under way at once; power of two */
#define BURST_MAX 16                  /* packets that may leave an end together */
#define BATCH 32                      /* packets read from a socket at once */
#define CONTROL 64                    /* room for one time stamp message */
#define SWEEP_MIN 5000000LL           /* ns between two looks at a socket: at least this, */
#define SWEEP_PER_END 20000LL         /* and this for each end, so that looking costs at most 50,000 calls a second */
#define LATE 1000000LL                /* ns behind its time after which a packet counts as sent late */
#define GRACE 20000000LL              /* ns after the measured period in which packets are still on time */
#define RECEIVE_BUFFER (1 << 20)
#define SECOND 1000000000LL
#define DELAYS 200000                 /* microseconds told apart in the delay histogram; longer ones share the last */

#if defined(__x86_64__) || defined(__i386__)
#define relax() __builtin_ia32_pause()
#else
#define relax() __asm__ volatile("" ::: "memory")
#endif

struct end {
    int fd;
    int partner;
    uint32_t sent;                    /* packets sent so far; the low 16 bits are the next sequence number */
    uint32_t first;                   /* number of its first measured packet; none before that period */
    uint32_t highest;                 /* highest packet number that arrived at the partner, plus 1 */
    int64_t *sent_at;                 /* wall clock ns by number mod WINDOW, 0 once it arrived */
    bool protected;
    const unsigned char *script;      /* its protected packets */
};

struct totals {
    uint64_t sent, received, bytes, duplicate, reordered, damaged, stray, stale, refused, late, overdue;
    uint64_t warmup_sent, warmup_received;
    int64_t latest;
};

struct options {
    double rate, warmup, warmup_rate, seconds, linger;
    int payload, run, burst;
    pid_t cpu_of;
    const char *protected, *sample;
};

static struct end *ends;
static int end_count;
static struct totals totals;
static int64_t deadline = INT64_MAX;  /* wall clock ns after which an arrival is overdue */
static uint32_t delays[DELAYS];
static unsigned char payload[PAYLOAD_MAX];
static int payload_size = 160, overhead;
static uint32_t first_ssrc;
static uint32_t script_length;        /* packets of each protected end */
static FILE *sample;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("rtpload: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec t;
    if (clock_gettime(clock, &t) != 0) fail("cannot read clock %d: %s", (int)clock, strerror(errno));
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* ---- reading ---- */

static struct mmsghdr messages[BATCH];
static struct iovec pieces[BATCH];
static unsigned char packets[BATCH][RTP_HEADER + PAYLOAD_MAX + OVERHEAD_MAX];
static char controls[BATCH][CONTROL];

static void prepare_reading(void) {
    for (int i = 0; i < BATCH; i++) {
        pieces[i] = (struct iovec){packets[i], sizeof packets[i]};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1, .msg_control = controls[i]};
    }
}

static int64_t arrival(struct msghdr *header) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            return t.tv_sec * SECOND + t.tv_nsec;
        }
    return clock_ns(CLOCK_REALTIME);
}

static void count_delay(int64_t ns) {
    int64_t us = ns < 0 ? 0 : ns / 1000;
    delays[us < DELAYS ? us : DELAYS - 1]++;
}

static size_t protected_size(void) {
    return (size_t)(RTP_HEADER + payload_size + overhead);
}

static bool is_whole(const struct end *here, const unsigned char *data, size_t size) {
    if (here->protected) return size == protected_size();
    return size == (size_t)(RTP_HEADER + payload_size) &&
           memcmp(data + RTP_HEADER, payload, (size_t)payload_size) == 0;
}

/* Keeps a protected packet for someone who can look into it. */
static void keep(const struct end *here, const unsigned char *data) {
    uint32_t number = (uint32_t)(here - ends);
    if (fwrite(&number, sizeof number, 1, sample) != 1 || fwrite(data, protected_size(), 1, sample) != 1)
        fail("cannot write the sample: %s", strerror(errno));
}

/* Counts one packet that arrived at `here`. Its number is told by the sequence number: never ahead of what was sent. */
static void count_packet(struct end *here, const unsigned char *data, size_t size, struct msghdr *header) {
    struct end *sender = &ends[here->partner];
    uint32_t ssrc = (uint32_t)data[8] << 24 | data[9] << 16 | data[10] << 8 | data[11];
    if (size < RTP_HEADER || ssrc != first_ssrc + (uint32_t)here->partner) {
        bool earlier_run = size >= RTP_HEADER && (ssrc ^ SSRC_FAMILY) >> 24 == 0 && (ssrc ^ first_ssrc) >> 16 != 0;
        if (earlier_run) totals.stale++;
        else totals.stray++;
        return;
    }
    uint16_t sequence = (uint16_t)(data[2] << 8 | data[3]);
    uint32_t behind = (uint16_t)((uint16_t)sender->sent - sequence);
    if (behind == 0 || behind > sender->sent) {
        totals.stray++;
        return;
    }
    if (behind > WINDOW) {
        totals.stale++;
        return;
    }
    uint32_t number = sender->sent - behind;
    int64_t *sent_at = &sender->sent_at[number & (WINDOW - 1)];
    if (*sent_at == 0) {
        totals.duplicate += number >= sender->first;
        return;
    }
    int64_t arrived = arrival(header), delay = arrived - *sent_at;
    *sent_at = 0;
    bool disordered = number + 1 < sender->highest;
    if (!disordered) sender->highest = number + 1;
    if (number < sender->first) {
        totals.warmup_received++;
        return;
    }
    totals.received++;
    totals.bytes += size;
    totals.reordered += disordered;
    totals.overdue += arrived > deadline;
    count_delay(delay);
    if (!is_whole(here, data, size)) totals.damaged++;
    else if (here->protected && number % SAMPLE == 0) keep(here, data);
}

static void read_end(struct end *here) {
    int n;
    do {
        for (int i = 0; i < BATCH; i++) messages[i].msg_hdr.msg_controllen = CONTROL;
        n = recvmmsg(here->fd, messages, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) count_packet(here, packets[i], messages[i].msg_len, &messages[i].msg_hdr);
    } while (n == BATCH);
}

/* ---- sending ---- */

static ssize_t send_protected(const struct end *end, int burst) {
    if (burst > 1) fail("protected packets leave one by one");
    if (end->sent == script_length) fail("only %u protected packets for each end", script_length);
    return send(end->fd, end->script + end->sent * protected_size(), protected_size(), MSG_DONTWAIT);
}

static void write_clear(const struct end *end, uint32_t number, unsigned char *packet) {
    uint32_t ssrc = first_ssrc + (uint32_t)(end - ends), stamp = number * 160;
    packet[0] = 0x80;
    packet[1] = 0x08;
    packet[2] = (unsigned char)(number >> 8);
    packet[3] = (unsigned char)number;
    for (int i = 0; i < 4; i++) {
        packet[4 + i] = (unsigned char)(stamp >> (24 - 8 * i));
        packet[8 + i] = (unsigned char)(ssrc >> (24 - 8 * i));
    }
    memcpy(packet + RTP_HEADER, payload, (size_t)payload_size);
}

static ssize_t send_clear(const struct end *end, int burst) {
    static unsigned char packets[BURST_MAX * (RTP_HEADER + PAYLOAD_MAX)];
    size_t size = (size_t)(RTP_HEADER + payload_size);
    for (int i = 0; i < burst; i++) write_clear(end, end->sent + (uint32_t)i, packets + (size_t)i * size);
    return send(end->fd, packets, (size_t)burst * size, MSG_DONTWAIT);
}

static void send_from(struct end *end, int burst, bool measured) {
    int64_t now = clock_ns(CLOCK_REALTIME);
    for (int i = 0; i < burst; i++) end->sent_at[(end->sent + (uint32_t)i) & (WINDOW - 1)] = now;
    if ((end->protected ? send_protected(end, burst) : send_clear(end, burst)) < 0) totals.refused += (uint64_t)burst;
    end->sent += (uint32_t)burst;
    if (measured) totals.sent += (uint64_t)burst;
    else totals.warmup_sent += (uint64_t)burst;
}

/* From now on what is sent at once is divided into packets. */
static void divide(void) {
    int size = RTP_HEADER + payload_size;
    for (int i = 0; i < end_count; i++)
        if (setsockopt(ends[i].fd, SOL_UDP, UDP_SEGMENT, &size, sizeof size) != 0) fail("no --burst here");
}

/* Sends `count` packets from `*next` on, each at its time, and looks at all ends in turn meanwhile. */
static void run_period(uint64_t count, double rate, int burst, int *next, bool measured) {
    static int reading;
    int64_t sweep = end_count * SWEEP_PER_END > SWEEP_MIN ? end_count * SWEEP_PER_END : SWEEP_MIN;
    int64_t start = clock_ns(CLOCK_MONOTONIC), look = sweep / end_count, next_look = start;
    for (uint64_t i = 0; i < count;) {
        int64_t now = clock_ns(CLOCK_MONOTONIC), due = start + (int64_t)((double)i * SECOND / rate);
        if (now >= due) {
            send_from(&ends[*next], burst, measured);
            *next = (*next + 1) % end_count;
            i += (uint64_t)burst;
            if (now - due > LATE) totals.late += (uint64_t)burst;
            if (now - due > totals.latest) totals.latest = now - due;
        }
        if (now >= next_look) {
            read_end(&ends[reading]);
            reading = (reading + 1) % end_count;
            next_look = now - next_look > sweep ? now + look : next_look + look;
        } else if (now < due)
            relax();
    }
}

static void read_until_complete(double seconds) {
    int64_t until = clock_ns(CLOCK_MONOTONIC) + (int64_t)(seconds * SECOND);
    do {
        for (int i = 0; i < end_count; i++) read_end(&ends[i]);
        usleep(2000);
    } while (totals.received < totals.sent && clock_ns(CLOCK_MONOTONIC) < until);
    for (int i = 0; i < end_count; i++) read_end(&ends[i]);
}

/* ---- setting up ---- */

static struct addrinfo *resolve(const char *address, const char *port) {
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM}, *found;
    int error = getaddrinfo(address, port, &hints, &found);
    if (error != 0) fail("%s port %s: %s", address, port, gai_strerror(error));
    return found;
}

static void open_end(struct end *end, const char *local, const char *local_port, const char *relay, const char *port) {
    struct addrinfo *from = resolve(local, local_port), *to = resolve(relay, port);
    int on = 1, size = RECEIVE_BUFFER;
    end->fd = socket(from->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (end->fd < 0) fail("cannot open a socket: %s (raise the limit of open files?)", strerror(errno));
    setsockopt(end->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(end->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) fail("no arrival time stamps here");
    if (bind(end->fd, from->ai_addr, from->ai_addrlen) != 0)
        fail("cannot bind %s port %s: %s", local, local_port, strerror(errno));
    if (connect(end->fd, to->ai_addr, to->ai_addrlen) != 0)
        fail("cannot connect to %s port %s: %s", relay, port, strerror(errno));
    end->sent_at = calloc(WINDOW, sizeof *end->sent_at);
    if (end->sent_at == NULL) fail("out of memory");
    freeaddrinfo(from);
    freeaddrinfo(to);
}

static void read_end_line(const char *line) {
    static int room;
    char local[64], local_port[8], relay[64], relay_port[8], kind[16] = "";
    int partner, words;
    words = sscanf(line, "%63s %7s %63s %7s %d %15s", local, local_port, relay, relay_port, &partner, kind);
    if (words < 5 || (words == 6 && strcmp(kind, "protected") != 0))
        fail("line %d of the input is not an end", end_count + 1);
    if (end_count == room) ends = realloc(ends, (size_t)(room = room ? 2 * room : 64) * sizeof *ends);
    if (ends == NULL) fail("out of memory");
    ends[end_count] = (struct end){.partner = partner, .first = UINT32_MAX, .protected = words == 6};
    open_end(&ends[end_count++], local, local_port, relay, relay_port);
}

static void read_ends(void) {
    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL) read_end_line(line);
    if (end_count == 0) fail("line 1 of the input is not an end");
    if (end_count > ENDS_MAX) fail("more than %d ends", ENDS_MAX);
    for (int i = 0; i < end_count; i++)
        if (ends[i].partner < 0 || ends[i].partner >= end_count) fail("end %d has no partner", i);
}

/* Maps the packets of the protected ends and opens the file for what arrives at them. */
static void read_script(const struct options *options) {
    uint32_t protected_ends = 0;
    for (int i = 0; i < end_count; i++) protected_ends += ends[i].protected;
    if (protected_ends == 0) return;
    if (options->protected == NULL || options->sample == NULL) fail("protected ends need --protected and --sample");
    int fd = open(options->protected, O_RDONLY | O_CLOEXEC);
    struct stat file;
    if (fd < 0 || fstat(fd, &file) != 0) fail("%s: %s", options->protected, strerror(errno));
    size_t size = (size_t)file.st_size;
    script_length = (uint32_t)(size / protected_size() / protected_ends);
    if (script_length == 0 || size != (size_t)script_length * protected_ends * protected_size())
        fail("%s does not have as many packets of %zu octets for each end", options->protected, protected_size());
    const unsigned char *script = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (script == MAP_FAILED) fail("%s: %s", options->protected, strerror(errno));
    close(fd);
    for (int i = 0; i < end_count; i++)
        if (ends[i].protected) {
            ends[i].script = script;
            script += script_length * protected_size();
        }
    if ((sample = fopen(options->sample, "wb")) == NULL) fail("%s: %s", options->sample, strerror(errno));
}

static void check_options(const struct options *options) {
    if (options->rate <= 0 || options->rate > 5e6) fail("--rate must be above 0 and at most 5000000 packets a second");
    if (options->warmup_rate <= 0 || options->warmup_rate > 5e6) fail("--warmup-rate must be as --rate");
    if (options->seconds <= 0 || options->warmup < 0 || options->seconds + options->warmup > 3600)
        fail("--seconds and --warmup must be above 0 and at most an hour together");
    if (options->payload < 0 || options->payload > PAYLOAD_MAX) fail("--payload must be 0 to %d", PAYLOAD_MAX);
    if (overhead < 0 || overhead > OVERHEAD_MAX) fail("--overhead must be 0 to %d", OVERHEAD_MAX);
    if (options->burst < 1 || options->burst > BURST_MAX) fail("--burst must be 1 to %d", BURST_MAX);
    if (options->run < 0 || options->run > 255) fail("--run must be 0 to 255");
}

static struct options parse_options(int argc, char **argv) {
    struct options options = {.seconds = 1, .linger = 0.5, .burst = 1, .payload = 160, .run = getpid() & 0xff};
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc) fail("%s needs a value", argv[i]);
        double value = atof(argv[i + 1]);
        if (!strcmp(argv[i], "--rate")) options.rate = value;
        else if (!strcmp(argv[i], "--warmup")) options.warmup = value;
        else if (!strcmp(argv[i], "--warmup-rate")) options.warmup_rate = value;
        else if (!strcmp(argv[i], "--seconds")) options.seconds = value;
        else if (!strcmp(argv[i], "--linger")) options.linger = value;
        else if (!strcmp(argv[i], "--payload")) options.payload = (int)value;
        else if (!strcmp(argv[i], "--cpu-of")) options.cpu_of = (pid_t)value;
        else if (!strcmp(argv[i], "--burst")) options.burst = (int)value;
        else if (!strcmp(argv[i], "--run")) options.run = (int)value;
        else if (!strcmp(argv[i], "--overhead")) overhead = (int)value;
        else if (!strcmp(argv[i], "--protected")) options.protected = argv[i + 1];
        else if (!strcmp(argv[i], "--sample")) options.sample = argv[i + 1];
        else fail("unknown option %s", argv[i]);
    }
    if (options.warmup_rate == 0) options.warmup_rate = options.rate;
    check_options(&options);
    return options;
}

static void allow_many_sockets(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* ---- reporting ---- */

/* The delay in microseconds that this share of the packets kept below; only where something was received. */
static int delay_at(double share) {
    uint64_t seen = 0, wanted = (uint64_t)(share * (double)totals.received);
    int us = 0;
    while (us < DELAYS - 1 && (seen += delays[us]) <= wanted) us++;
    return us;
}

static int longest_delay(void) {
    int us = DELAYS - 1;
    while (us > 0 && delays[us] == 0) us--;
    return us;
}

static void report_delays(void) {
    if (totals.received == 0) printf(" \"p50_us\": null, \"p99_us\": null, \"max_us\": null}\n");
    else printf(" \"p50_us\": %d, \"p99_us\": %d, \"max_us\": %d}\n", delay_at(0.50), delay_at(0.99), longest_delay());
}

static void report(double wall, double cpu, double own_cpu) {
    printf("{\"ends\": %d, \"wall\": %.6f, \"cpu\": %.9f, \"own_cpu\": %.6f,\n", end_count, wall, cpu, own_cpu);
    printf(" \"sent\": %lu, \"received\": %lu, \"lost\": %lu, \"bytes\": %lu,\n", totals.sent, totals.received,
           totals.sent - totals.received, totals.bytes);
    printf(" \"reordered\": %lu, \"duplicate\": %lu, \"damaged\": %lu, \"stray\": %lu, \"stale\": %lu,\n",
           totals.reordered, totals.duplicate, totals.damaged, totals.stray, totals.stale);
    printf(" \"refused\": %lu, \"late\": %lu, \"latest_us\": %ld, \"overdue\": %lu,\n", totals.refused, totals.late,
           totals.latest / 1000, totals.overdue);
    printf(" \"warmup_sent\": %lu, \"warmup_lost\": %lu,\n", totals.warmup_sent,
           totals.warmup_sent - totals.warmup_received);
    report_delays();
}

int main(int argc, char **argv) {
    struct options options = parse_options(argc, argv);
    clockid_t relay_cpu = 0;
    int next = 0;
    if (options.cpu_of != 0 && clock_getcpuclockid(options.cpu_of, &relay_cpu) != 0)
        fail("no process %d", options.cpu_of);
    payload_size = options.payload;
    for (int i = 0; i < PAYLOAD_MAX; i++) payload[i] = (unsigned char)(i * 37 + 11);
    first_ssrc = SSRC_FAMILY | (uint32_t)options.run << 16;
    allow_many_sockets();
    read_ends();
    read_script(&options);
    prepare_reading();

    run_period((uint64_t)(options.warmup * options.warmup_rate), options.warmup_rate, 1, &next, false);
    for (int i = 0; i < end_count; i++) ends[i].first = ends[i].sent;
    if (options.burst > 1) divide();

    int64_t start = clock_ns(CLOCK_MONOTONIC), own = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    int64_t cpu = options.cpu_of ? clock_ns(relay_cpu) : 0;
    run_period((uint64_t)(options.seconds * options.rate), options.rate, options.burst, &next, true);
    int64_t wall = clock_ns(CLOCK_MONOTONIC) - start;
    deadline = clock_ns(CLOCK_REALTIME) + GRACE;
    own = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - own;
    usleep(GRACE / 1000); /* what the relay still has in its sockets is part of its work */
    cpu = options.cpu_of ? clock_ns(relay_cpu) - cpu : 0;

    read_until_complete(options.linger);
    report((double)wall / SECOND, (double)cpu / SECOND, (double)own / SECOND);
    if (sample != NULL && fclose(sample) != 0) fail("%s: %s", options.sample, strerror(errno));
    return 0;
}
