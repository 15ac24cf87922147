// SPDX-License-Identifier: GPL-2.0
/*
 * Connections by TLS 1.3 between two that share a key.
 */
#include "cmd/move_tls.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/move_carrier.h"
#include "cmd/move_key.h"

#define LIBRARY "libgnutls.so.30"
/*
 * No other version, and nothing without both the key and a secret of this connection's
 * own, so that a key which is lost later opens no connection of before.
 */
#define PRIORITY                                                      \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK:-GROUP-ALL" \
	":+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%NO_TICKETS"
#define HANDSHAKE_MS 10000

/* What is used of it. */
#define FUNCTIONS(F)                                  \
	F(gnutls_init)                                \
	F(gnutls_deinit)                              \
	F(gnutls_priority_set_direct)                 \
	F(gnutls_credentials_set)                     \
	F(gnutls_psk_allocate_client_credentials)     \
	F(gnutls_psk_set_client_credentials)          \
	F(gnutls_psk_free_client_credentials)         \
	F(gnutls_psk_allocate_server_credentials)     \
	F(gnutls_psk_set_server_credentials_function) \
	F(gnutls_psk_free_server_credentials)         \
	F(gnutls_session_set_ptr)                     \
	F(gnutls_session_get_ptr)                     \
	F(gnutls_hex_decode2)                         \
	F(gnutls_transport_set_int2)                  \
	F(gnutls_handshake_set_timeout)               \
	F(gnutls_handshake)                           \
	F(gnutls_record_send)                         \
	F(gnutls_record_recv)                         \
	F(gnutls_bye)                                 \
	F(gnutls_error_is_fatal)                      \
	F(gnutls_strerror)

/* Set by move_tls_load(). */
#define POINTER(name) typeof(name) *name;
static struct {
	FUNCTIONS(POINTER)
} tls;

/**
 * struct secret - what a session needs of the key, until its handshake is done
 * @client: credentials of a client, or NULL
 * @server: of a server, or NULL
 */
struct secret {
	gnutls_psk_client_credentials_t client;
	gnutls_psk_server_credentials_t server;
};

int move_tls_load(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	bool whole = library;

#define FIND(name) whole = whole && (tls.name = dlsym(library, #name));
	FUNCTIONS(FIND)
	if (whole)
		return 0;
	complain(EXIT_CODE_HOST, "tcp:", dlerror(),
		 "apt install libgnutls30, or go by exec: and ssh");
	if (library)
		dlclose(library);
	return EXIT_CODE_HOST;
}

/* GnuTLS asks for the key of who connects, and frees it. */
static int give_key(gnutls_session_t session, const char *user,
		    gnutls_datum_t *key)
{
	char *digits = tls.gnutls_session_get_ptr(session);
	const gnutls_datum_t hex = { (unsigned char *)digits, strlen(digits) };

	return strcmp(user, MOVE_KEY_USER) ||
			       tls.gnutls_hex_decode2(&hex, key) ?
		       -1 :
		       0;
}

/* Return: 0 or an error of GnuTLS. */
static int set_server(gnutls_session_t session, struct secret *secret)
{
	int err = tls.gnutls_psk_allocate_server_credentials(&secret->server);

	if (err)
		return err;
	tls.gnutls_psk_set_server_credentials_function(secret->server,
						       give_key);
	return tls.gnutls_credentials_set(session, GNUTLS_CRD_PSK,
					  secret->server);
}

/* Return: 0 or an error of GnuTLS. */
static int set_client(gnutls_session_t session, const char *key,
		      struct secret *secret)
{
	const gnutls_datum_t hex = { (unsigned char *)key, strlen(key) };
	int err = tls.gnutls_psk_allocate_client_credentials(&secret->client);

	if (!err)
		err = tls.gnutls_psk_set_client_credentials(secret->client,
							    MOVE_KEY_USER, &hex,
							    GNUTLS_PSK_KEY_HEX);
	return err ? err :
		     tls.gnutls_credentials_set(session, GNUTLS_CRD_PSK,
						secret->client);
}

static void free_secret(struct secret *secret)
{
	if (secret->client)
		tls.gnutls_psk_free_client_credentials(secret->client);
	if (secret->server)
		tls.gnutls_psk_free_server_credentials(secret->server);
}

/* Return: 0 or an error of GnuTLS. */
static int shake_hands(gnutls_session_t session, int fd, const char *key,
		       bool server, struct secret *secret)
{
	int err = tls.gnutls_priority_set_direct(session, PRIORITY, NULL);

	if (err)
		return err;
	tls.gnutls_session_set_ptr(session, (void *)key);
	err = server ? set_server(session, secret) :
		       set_client(session, key, secret);
	if (err)
		return err;
	tls.gnutls_transport_set_int2(session, fd, fd);
	tls.gnutls_handshake_set_timeout(session, HANDSHAKE_MS);
	do {
		err = tls.gnutls_handshake(session);
	} while (err && !tls.gnutls_error_is_fatal(err));
	return err;
}

/* See struct move_cipher. */
static ssize_t send_some(void *opaque, const void *bytes, size_t size)
{
	ssize_t count;

	do {
		count = tls.gnutls_record_send(opaque, bytes, size);
	} while (count < 0 && !tls.gnutls_error_is_fatal((int)count));
	return count;
}

static ssize_t take_some(void *opaque, void *bytes, size_t size)
{
	ssize_t count;

	do {
		count = tls.gnutls_record_recv(opaque, bytes, size);
	} while (count < 0 && !tls.gnutls_error_is_fatal((int)count));
	return count;
}

static void say_end(void *opaque)
{
	tls.gnutls_bye(opaque, GNUTLS_SHUT_WR);
}

/* Return: as move_tls_open(). */
static int open_session(const char *place, gnutls_session_t session, int fd,
			const char *key, bool server, int *local)
{
	const struct move_cipher cipher = {
		.send = send_some,
		.take = take_some,
		.end = say_end,
		.opaque = session,
	};
	struct secret secret = { 0 };
	int err = shake_hands(session, fd, key, server, &secret);

	if (!err)
		*local = move_carrier_start(&cipher, fd);
	free_secret(&secret);
	if (err)
		return complain(
			EXIT_CODE_PERMISSION, place, tls.gnutls_strerror(err),
			"both sides need the same --key, and the one of "
			"them lodge receive");
	return *local < 0 ? complain(EXIT_CODE_RESOURCES, place,
				     strerror(-*local), NULL) :
			    0;
}

int move_tls_open(const char *place, int fd, const char *key, bool server,
		  int *local)
{
	gnutls_session_t session;
	const unsigned int side = server ? GNUTLS_SERVER : GNUTLS_CLIENT;
	const int err = tls.gnutls_init(&session, side | GNUTLS_NO_SIGNAL);
	int code;

	if (err) {
		code = complain(EXIT_CODE_RESOURCES, place,
				tls.gnutls_strerror(err), NULL);
	} else {
		code = open_session(place, session, fd, key, server, local);
		tls.gnutls_deinit(session);
	}
	close(fd);
	return code;
}
