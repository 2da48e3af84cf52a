// Announces over UDP (BEP 15), 64 packets a system call, at most a window of them unanswered.
//   udp PORT SECONDS HASHES PEERS WANTED [FILL]
// HASHES: a file with one infohash in hex per line. PEERS: how many announce to each. With FILL every peer announces
// once, and that is all. Prints: answers, seconds, bytes of answers.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { batch = 64, window = 512, most_hashes = 1000000, ports = 50000 };

static uint8_t (*hashes)[20];
static uint8_t packets[batch][98], answers[batch][2048];
static struct mmsghdr out[batch], in[batch];
static struct iovec out_parts[batch], in_parts[batch];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static long read_hashes(const char *path) {
  hashes = calloc(most_hashes, 20);
  FILE *file = fopen(path, "r");
  char line[64];
  long count = 0;
  while (file && count < most_hashes && fgets(line, sizeof line, file)) {
    for (int i = 0; i < 20; i++) {
      unsigned byte;
      sscanf(line + 2 * i, "%2x", &byte);
      hashes[count][i] = byte;
    }
    count++;
  }
  return count;
}

// A socket of 127.0.0.<last> that has a connection id. Each address has `ports` peers of each torrent.
static int connect_from(int port, int last, uint8_t id[8]) {
  int s = socket(AF_INET, SOCK_DGRAM, 0), size = 8 << 20;
  setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000 + last)};
  struct sockaddr_in tracker = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001)};
  bind(s, (void *)&own, sizeof own);
  connect(s, (void *)&tracker, sizeof tracker);
  struct timeval wait = {0, 200000};
  setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  uint8_t hello[16] = {0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0, 0, 0, 0, 1}, answer[2048];
  for (int attempt = 0; attempt < 50; attempt++) {
    send(s, hello, sizeof hello, 0);
    if (recv(s, answer, sizeof answer, 0) >= 16) {
      memcpy(id, answer + 8, 8);
      return s;
    }
  }
  fprintf(stderr, "no answer to connect\n");
  exit(1);
}

static void announce(uint8_t *p, const uint8_t id[8], long hash, long peer, int wanted) {
  memset(p, 0, 98);
  memcpy(p, id, 8);
  p[11] = 1;
  *(uint32_t *)(p + 12) = random();
  memcpy(p + 16, hashes[hash], 20);
  memcpy(p + 36, "-TR3000-", 8);
  memcpy(p + 44, &peer, 8);
  p[71] = peer & 1;
  p[83] = 2;
  *(uint32_t *)(p + 92) = htonl(wanted);
  *(uint16_t *)(p + 96) = htons(1024 + peer % ports);
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  int port = atoi(argv[1]), wanted = atoi(argv[5]), fill = argc > 6;
  double seconds = atof(argv[2]);
  long count = read_hashes(argv[3]), peers = atol(argv[4]);
  int addresses = (peers + ports - 1) / ports;
  uint8_t id[8];
  for (int i = 0; i < batch; i++) {
    out_parts[i] = (struct iovec){packets[i], 98};
    in_parts[i] = (struct iovec){answers[i], 2048};
    out[i].msg_hdr = (struct msghdr){.msg_iov = &out_parts[i], .msg_iovlen = 1};
    in[i].msg_hdr = (struct msghdr){.msg_iov = &in_parts[i], .msg_iovlen = 1};
  }
  long answered = 0, bytes = 0;
  double spent = 0;
  // One address after the other: peers of an address are those whose number falls on it.
  for (int address = 0; address < addresses; address++) {
    int s = connect_from(port, 1 + address, id);
    long sent = 0, got = 0, from = address * (long)ports, here = peers - from < ports ? peers - from : ports;
    long todo = fill ? count * here : -1;
    double start = now(), last = start, share = seconds / addresses;
    while (fill ? got < todo : now() - start < share) {
      while (sent - got < window && (!fill || sent < todo)) {
        int size = fill && todo - sent < batch ? todo - sent : batch;
        for (int i = 0; i < size; i++) {
          long which = fill ? (sent + i) / here : random() % count;
          announce(packets[i], id, which, from + (fill ? (sent + i) % here : random() % here), wanted);
        }
        int done = sendmmsg(s, out, size, 0);
        if (done > 0) sent += done;
      }
      int done = recvmmsg(s, in, batch, MSG_DONTWAIT, 0);
      if (done > 0) {
        got += done;
        for (int i = 0; i < done; i++)
          if (answers[i][3] == 1) answered++, bytes += in[i].msg_len;
        last = now();
      } else if (now() - last > 0.05) {
        // What is lost is asked for no more.
        if (fill) todo -= sent - got, sent = got;
        else got = sent;
        last = now();
      }
    }
    spent += now() - start;
  }
  printf("%ld %.3f %ld\n", answered, spent, bytes);
  return 0;
}
