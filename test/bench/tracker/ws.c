// WebTorrent clients (WebSocket): each is in some swarms, announces offers, and answers every offer it is given.
//   ws PORT SECONDS SOCKETS SWARMS EACH SDP [RATE]
// EACH: swarms of one socket. SDP: a file with the text of an offer as JSON string. RATE: announces a second of all;
// without it every socket announces as soon as its last announce was acknowledged. SECONDS 0: announce once without
// offers, then stay until killed.
// Prints: messages sent, messages received, answers received, seconds, and the median and 99th percentile in ms from an
// announce until the answer to one of its offers. The answers of the first second do not count: everybody has just come,
// and those of a run before have just left.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { offers = 5, most_samples = 4000000, room = 1 << 18 };

struct client {
  int fd, swarm, handshaken, busy;
  double announced;
  size_t have, owed;
  char *in, *out;
};

static struct client *clients;
static char sdp[16384];
static int sockets, swarms, each, port;
static long sent, received, answered, samples;
static float *delays;
static double counted_from;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void flush(struct client *c) {
  size_t done = 0;
  while (done < c->owed) {
    ssize_t n = send(c->fd, c->out + done, c->owed - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) fprintf(stderr, "the tracker hung up\n"), exit(1);
    done += n;
  }
  memmove(c->out, c->out + done, c->owed -= done);
}

static void text(struct client *c, const char *payload, size_t length) {
  if (c->owed + length + 14 > room) flush(c);
  if (c->owed + length + 14 > room) fprintf(stderr, "the tracker does not read\n"), exit(1);
  uint8_t *p = (uint8_t *)c->out + c->owed, mask[4] = {0x1a, 0x2b, 0x3c, 0x4d};
  size_t at = 0;
  p[at++] = 0x81;
  if (length < 126) p[at++] = 0x80 | length;
  else p[at++] = 0x80 | 126, p[at++] = length >> 8, p[at++] = length;
  memcpy(p + at, mask, 4), at += 4;
  for (size_t i = 0; i < length; i++) p[at + i] = payload[i] ^ mask[i & 3];
  c->owed += at + length;
  sent++;
}

static void announce(struct client *c, int with_offers) {
  static char m[65536];
  int self = c - clients, swarm = (self + c->swarm * 7919) % swarms;
  c->swarm = (c->swarm + 1) % each;
  int n = sprintf(m, "{\"numwant\":5,\"uploaded\":0,\"downloaded\":0,\"left\":%d,\"event\":\"started\",\"action\":\"announce\","
                     "\"info_hash\":\"swarm%015d\",\"peer_id\":\"peer%016d\",\"offers\":[", 1 + self % 2, swarm, self);
  for (int i = 0; i < offers * with_offers; i++)
    n += sprintf(m + n, "%s{\"offer\":{\"type\":\"offer\",\"sdp\":%s},\"offer_id\":\"offer%015ld\"}", i ? "," : "", sdp, random() % 1000000000);
  n += sprintf(m + n, "]}");
  c->announced = now();
  c->busy = 1;
  text(c, m, n);
}

// Copies the JSON string that follows a name.
static int field(const char *m, const char *name, char *into, size_t most) {
  const char *at = strstr(m, name);
  if (!at) return 0;
  at += strlen(name);
  size_t n = 0;
  while (at[n] != '"' && n < most - 1) into[n] = at[n], n++;
  into[n] = 0;
  return 1;
}

static void hear(struct client *c, char *m) {
  char id[200], peer[200], hash[200];
  static char answer[32768];
  received++;
  if (strstr(m, "\"answer\":")) {
    answered++;
    double at = now();
    if (at >= counted_from && samples < most_samples) delays[samples++] = (at - c->announced) * 1e3;
  } else if (strstr(m, "\"offer\":")) {
    if (!field(m, "\"offer_id\":\"", id, sizeof id) || !field(m, "\"peer_id\":\"", peer, sizeof peer) || !field(m, "\"info_hash\":\"", hash, sizeof hash)) return;
    int n = sprintf(answer, "{\"action\":\"announce\",\"info_hash\":\"%s\",\"peer_id\":\"peer%016d\",\"to_peer_id\":\"%s\","
                            "\"answer\":{\"type\":\"answer\",\"sdp\":%s},\"offer_id\":\"%s\"}", hash, (int)(c - clients), peer, sdp, id);
    text(c, answer, n);
  } else if (strstr(m, "failure reason")) fprintf(stderr, "%s\n", m), exit(1);
  else c->busy = 0;
}

static void parse(struct client *c) {
  size_t at = 0;
  if (!c->handshaken) {
    c->in[c->have] = 0;
    char *end = strstr(c->in, "\r\n\r\n");
    if (!end) return;
    if (strncmp(c->in, "HTTP/1.1 101", 12)) fprintf(stderr, "%s\n", c->in), exit(1);
    c->handshaken = 1;
    at = end + 4 - c->in;
  }
  while (c->have - at >= 2) {
    uint8_t *p = (uint8_t *)c->in + at;
    size_t length = p[1] & 127, head = 2;
    if (length == 126) {
      if (c->have - at < 4) break;
      length = p[2] << 8 | p[3], head = 4;
    }
    if (c->have - at < head + length) break;
    char *m = (char *)p + head, kept = m[length];
    m[length] = 0;
    if ((p[0] & 15) == 1) hear(c, m);
    else if ((p[0] & 15) == 9) {
      static const uint8_t pong[6] = {0x8a, 0x80};
      memcpy(c->out + c->owed, pong, 6), c->owed += 6;
    }
    m[length] = kept;
    at += head + length;
  }
  memmove(c->in, c->in + at, c->have -= at);
}

static int readable(struct client *c) {
  for (;;) {
    ssize_t n = recv(c->fd, c->in + c->have, room - c->have - 1, 0);
    if (n < 0 && errno == EAGAIN) return 1;
    if (n <= 0) return 0;
    c->have += n;
    parse(c);
  }
}

static int ascending(const void *a, const void *b) {
  return *(float *)a < *(float *)b ? -1 : 1;
}

int main(int argc, char **argv) {
  if (argc < 7) return 2;
  port = atoi(argv[1]), sockets = atoi(argv[3]), swarms = atoi(argv[4]), each = atoi(argv[5]);
  double seconds = atof(argv[2]), rate = argc > 7 ? atof(argv[7]) : 0;
  FILE *file = fopen(argv[6], "r");
  sdp[fread(sdp, 1, sizeof sdp - 1, file)] = 0;
  sdp[strcspn(sdp, "\n")] = 0;
  clients = calloc(sockets, sizeof *clients);
  delays = malloc(most_samples * sizeof *delays);
  int poll = epoll_create1(0);
  for (int i = 0; i < sockets; i++) {
    struct client *c = &clients[i];
    c->in = malloc(room), c->out = malloc(room);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    // Each address has 250 of them.
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001 + i / 250)};
    struct sockaddr_in tracker = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001)};
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bind(c->fd, (void *)&own, sizeof own);
    if (connect(c->fd, (void *)&tracker, sizeof tracker)) perror("connect"), exit(1);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &e);
    c->owed = sprintf(c->out, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
    flush(c);
  }
  // Everybody enters all of his swarms before anything is counted.
  struct epoll_event events[256];
  int entered = 0, *count = calloc(sockets, sizeof *count);
  while (entered < sockets) {
    for (int i = 0; i < sockets; i++) {
      struct client *c = &clients[i];
      if (!c->handshaken || c->busy || count[i] > each) continue;
      if (count[i]++ == each) entered++;
      else announce(c, 0), flush(c);
    }
    int n = epoll_wait(poll, events, 256, 10);
    for (int i = 0; i < n; i++)
      if (!readable(events[i].data.ptr)) fprintf(stderr, "the tracker hung up\n"), exit(1);
  }
  if (seconds == 0) {
    printf("ready\n"), fflush(stdout);
    for (;;) pause();
  }
  sent = received = answered = samples = 0;
  double began = now(), end = began + seconds;
  counted_from = began + 1;
  long announces = 0;
  int turn = 0;
  while (now() < end) {
    long due = rate ? (now() - began) * rate - announces : sockets;
    for (int i = 0; i < sockets && due > 0; i++) {
      struct client *c = &clients[turn = (turn + 1) % sockets];
      if (c->busy) continue;
      announce(c, 1), flush(c);
      announces++, due--;
    }
    int n = epoll_wait(poll, events, 256, 1);
    for (int i = 0; i < n; i++)
      if (!readable(events[i].data.ptr)) fprintf(stderr, "the tracker hung up\n"), exit(1);
    for (int i = 0; i < n; i++) flush(events[i].data.ptr);
  }
  double spent = now() - began;
  qsort(delays, samples, sizeof *delays, ascending);
  printf("%ld %ld %ld %.3f %.3f %.3f\n", sent, received, answered, spent, samples ? delays[samples / 2] : 0,
         samples ? delays[samples * 99 / 100] : 0);
  return 0;
}
