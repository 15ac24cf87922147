// SPDX-License-Identifier: GPL-2.0
/*
 * A machine that starts from a network: SeaBIOS starts iPXE, which asks for an address.  The
 * other end of the network card is this test, which has one to give.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"
#include "kselftest_harness.h"
#include "patience.h"

#define CODE_SIGNAL(number) (128 + (number))

#define CLIENT_PORT 68
#define SERVER_PORT 67
#define SERVER 0x0a000202 /* 10.0.2.2 */
#define CLIENT 0x0a00020f /* 10.0.2.15 */
#define MASK 0xffffff00
#define FRAME_MAX 2048

/* DHCP's messages (RFC 2131), and options of them (RFC 2132). */
#define DHCP_COOKIE 0x63825363
#define REQUEST 1
#define REPLY 2
#define OPTION_MASK 1
#define OPTION_TYPE 53
#define OPTION_SERVER 54
#define OPTION_LEASE 51
#define OPTION_END 255
#define DISCOVER 1
#define OFFER 2
#define ACKNOWLEDGE 5

struct dhcp {
	uint8_t op;
	uint8_t hardware[3];
	uint32_t transaction;
	uint16_t seconds;
	uint16_t flags;
	uint32_t client;
	uint32_t yours;
	uint32_t server;
	uint32_t gateway;
	uint8_t mac[16];
	uint8_t names[192];
	uint32_t cookie;
	uint8_t options[64];
} __attribute__((packed));

/* On the socket each frame has its length before it. */
struct packet {
	uint32_t length;
	struct ethhdr ethernet;
	struct iphdr ip;
	struct udphdr udp;
	struct dhcp dhcp;
} __attribute__((packed));

static struct guest guest;
static int requests;

static uint16_t checksum(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += byte[i] << 8 | byte[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static uint8_t *put_option(uint8_t *to, uint8_t code, uint32_t value)
{
	value = htonl(value);
	to[0] = code;
	to[1] = sizeof(value);
	memcpy(to + 2, &value, sizeof(value));
	return to + 2 + sizeof(value);
}

/* Answers a request, of which only transaction and address count. */
static void answer(int fd, const struct dhcp *asked, uint8_t type)
{
	struct packet packet = {
		.length = htonl(sizeof(packet) - sizeof(packet.length)),
		.ethernet = { .h_source = { 2, 0, 0, 0, 0, 1 },
			      .h_proto = htons(ETH_P_IP) },
		.ip = { .ihl = 5,
			.version = 4,
			.tot_len =
				htons(sizeof(packet.ip) + sizeof(packet.udp) +
				      sizeof(packet.dhcp)),
			.ttl = 64,
			.protocol = IPPROTO_UDP,
			.saddr = htonl(SERVER),
			.daddr = INADDR_BROADCAST },
		.udp = { .source = htons(SERVER_PORT),
			 .dest = htons(CLIENT_PORT),
			 .len = htons(sizeof(packet.udp) +
				      sizeof(packet.dhcp)) },
		.dhcp = { .op = REPLY,
			  .hardware = { 1, ETH_ALEN },
			  .transaction = asked->transaction,
			  .flags = asked->flags,
			  .yours = htonl(CLIENT),
			  .server = htonl(SERVER),
			  .cookie = htonl(DHCP_COOKIE) },
	};
	uint8_t *option = packet.dhcp.options;

	memset(packet.ethernet.h_dest, 0xff, ETH_ALEN);
	memcpy(packet.dhcp.mac, asked->mac, sizeof(asked->mac));
	packet.ip.check = checksum(&packet.ip, sizeof(packet.ip));
	*option++ = OPTION_TYPE;
	*option++ = 1;
	*option++ = type;
	option = put_option(option, OPTION_SERVER, SERVER);
	option = put_option(option, OPTION_LEASE, 3600);
	option = put_option(option, OPTION_MASK, MASK);
	*option = OPTION_END;
	if (send(fd, &packet, sizeof(packet), MSG_NOSIGNAL) < 0)
		perror("send");
}

/* The type of the message is its first option. */
static void take_frame(int fd, const uint8_t *frame, size_t size)
{
	struct packet packet = { 0 };
	size_t room = sizeof(packet) - sizeof(packet.length);

	memcpy(&packet.ethernet, frame, size < room ? size : room);
	if (packet.ethernet.h_proto != htons(ETH_P_IP) ||
	    packet.udp.dest != htons(SERVER_PORT) ||
	    packet.dhcp.op != REQUEST || packet.dhcp.options[0] != OPTION_TYPE)
		return;
	requests++;
	answer(fd, &packet.dhcp,
	       packet.dhcp.options[2] == DISCOVER ? OFFER : ACKNOWLEDGE);
}

/* Serves until the card is gone. */
static void *serve(void *opaque)
{
	const int fd = *(int *)opaque;
	uint8_t frame[FRAME_MAX];
	uint32_t length;

	while (recv(fd, &length, sizeof(length), MSG_WAITALL) ==
	       sizeof(length)) {
		length = ntohl(length);
		if (length > sizeof(frame) ||
		    recv(fd, frame, length, MSG_WAITALL) != (ssize_t)length)
			break;
		take_frame(fd, frame, length);
	}
	return NULL;
}

TEST(ipxe_is_started_from_a_card_and_gets_an_address)
{
	char card[32];
	const char *const arguments[] = { "--net", card, "--memory", "64M",
					  NULL };
	pthread_t server;
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	snprintf(card, sizeof(card), "fd,fd=%d,bootindex=0", ends[1]);
	ASSERT_EQ(0, guest_start(&guest, arguments));
	close(ends[1]);
	ASSERT_EQ(0, pthread_create(&server, NULL, serve, &ends[0]));
	EXPECT_TRUE(guest_wait(&guest, "iPXE", PATIENCE));
	EXPECT_TRUE(
		guest_wait(&guest, "net0: 10.0.2.15/255.255.255.0", PATIENCE))
	{
		TH_LOG("console: %s", guest_tail(&guest));
	}
	EXPECT_LE(2, requests);
	kill(guest.pid, SIGTERM);
	EXPECT_EQ(CODE_SIGNAL(SIGTERM), guest_end(&guest, PATIENCE));
	EXPECT_STREQ("", guest.errors);
	pthread_join(server, NULL);
	close(ends[0]);
}

TEST_HARNESS_MAIN
