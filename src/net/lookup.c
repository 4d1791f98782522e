/* The transfers that wait for the addresses of their hosts. */
#include "net/lookup.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/engine.h"
#include "net/poller.h"
#include "net/profile.h"
#include "net/url.h"

/* ---- what a transfer needs ---- */

/* libcurl knows by itself that "localhost" is this machine. */
static int is_local(const char *host) {
  static const char local[] = "localhost";
  size_t length = strlen(host), own = sizeof local - 1;
  return length >= own && strcmp(host + length - own, local) == 0 &&
         (length == own || host[length - own - 1] == '.');
}

static int is_needed(const char *host) {
  return !strchr(host, ':') && host[strspn(host, "0123456789.")] != '\0' &&
         !is_local(host);
}

/* Other proxies are told the name, and look it up themselves. */
static int needs_address(const struct url_parts *proxy) {
  return strcmp(proxy->scheme, "socks5") == 0 ||
         strcmp(proxy->scheme, "socks4") == 0 ||
         strcmp(proxy->scheme, "socks") == 0;
}

static int plan(struct transfer_host *host, const struct url_parts *parts) {
  if (!is_needed(parts->host))
    return 0;
  host->name = strdup(parts->host);
  host->port = parts->port;
  return host->name ? 0 : -1;
}

int lookup_plan(struct transfer *transfer, const struct url_parts *parts,
                const char *proxy) {
  struct url_parts server;
  int result = 0;
  lookup_free_plan(transfer);
  if (!proxy)
    return plan(&transfer->hosts[0], parts);
  if (url_take_proxy_apart(proxy, &server) < 0)
    return 0; /* libcurl will say so */
  if (needs_address(&server))
    result = plan(&transfer->hosts[1], parts);
  if (result == 0)
    result = plan(&transfer->hosts[0], &server);
  url_free(&server);
  return result;
}

void lookup_free_plan(struct transfer *transfer) {
  for (int i = 0; i < TRANSFER_HOSTS; i++) {
    free(transfer->hosts[i].name);
    transfer->hosts[i].name = NULL;
  }
}

static struct name *find(const struct transfer *transfer, int index) {
  const char *host = transfer->hosts[index].name;
  return host ? dns_find(&transfer->engine->dns, host) : NULL;
}

/* ---- telling libcurl ---- */

static int add_entry(struct curl_slist **list, const struct transfer_host *host,
                     const char *addresses) {
  struct buffer entry = {0};
  struct curl_slist *grown = NULL;
  char port[16];
  snprintf(port, sizeof port, ":%u:", host->port);
  if (buffer_add(&entry, "+", 1) == 0 &&
      buffer_add_text(&entry, host->name) == 0 &&
      buffer_add_text(&entry, port) == 0 &&
      buffer_add_text(&entry, addresses) == 0)
    grown = curl_slist_append(*list, entry.bytes);
  buffer_free(&entry);
  if (!grown)
    return -1;
  *list = grown;
  return 0;
}

static int tell_libcurl(struct transfer *transfer) {
  struct curl_slist *list = NULL;
  uint64_t spent = poller_clock() - transfer->started;
  uint64_t limit = transfer->profile->connect_timeout;
  for (int i = 0; i < TRANSFER_HOSTS; i++) {
    const struct name *name = find(transfer, i);
    if (name && add_entry(&list, &transfer->hosts[i], name->addresses) < 0) {
      curl_slist_free_all(list);
      return -1;
    }
  }
  curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, list);
  curl_slist_free_all(transfer->addresses);
  transfer->addresses = list;
  transfer_limit_connect(transfer, limit > spent ? limit - spent : limit > 0);
  return 0;
}

static enum transfer_outcome attach(struct transfer *transfer) {
  if ((transfer->hosts[0].name || transfer->hosts[1].name) &&
      tell_libcurl(transfer) < 0)
    return TRANSFER_NO_MEMORY;
  if (curl_multi_add_handle(transfer->engine->multi, transfer->easy) !=
      CURLM_OK)
    return TRANSFER_NO_MEMORY;
  transfer->attached = 1;
  return TRANSFER_UNDER_WAY;
}

static enum transfer_outcome no_host(struct transfer *transfer, int index) {
  snprintf(transfer->problem, sizeof transfer->problem,
           "Could not resolve %s: %.200s",
           transfer->proxied && index == 0 ? "proxy" : "host",
           transfer->hosts[index].name);
  return TRANSFER_NO_HOST;
}

/* ---- waiting ---- */

static void wait_for_names(struct transfer *transfer) {
  struct engine *engine = transfer->engine;
  transfer->waits_for_names = 1;
  transfer->next_waiting = NULL;
  if (engine->first_waiting)
    engine->last_waiting->next_waiting = transfer;
  else
    engine->first_waiting = transfer;
  engine->last_waiting = transfer;
  for (int i = 0; i < TRANSFER_HOSTS; i++) {
    struct name *name = find(transfer, i);
    if (name)
      name->waiting++;
  }
}

static void leave_queue(struct transfer *transfer) {
  struct engine *engine = transfer->engine;
  struct transfer *before = NULL;
  struct transfer *each = engine->first_waiting;
  while (each != transfer) {
    before = each;
    each = each->next_waiting;
  }
  if (before)
    before->next_waiting = transfer->next_waiting;
  else
    engine->first_waiting = transfer->next_waiting;
  if (engine->last_waiting == transfer)
    engine->last_waiting = before;
  transfer->waits_for_names = 0;
  for (int i = 0; i < TRANSFER_HOSTS; i++) {
    struct name *name = find(transfer, i);
    if (name)
      name->waiting--;
  }
}

/* How many of its hosts it has to wait for; `*unknown` is one that can't be
 * asked for, or -1. -1: no memory. */
static int ask_for_hosts(const struct transfer *transfer, int *unknown) {
  struct engine *engine = transfer->engine;
  int missing = 0;
  *unknown = -1;
  for (int i = 0; i < TRANSFER_HOSTS; i++) {
    const char *host = transfer->hosts[i].name;
    const struct name *name;
    if (!host)
      continue;
    name = dns_ask(&engine->dns, &engine->poller, host);
    if (!name)
      return -1;
    if (name->addresses)
      continue;
    missing++;
    if (!name->question.search)
      *unknown = i;
  }
  return missing;
}

enum transfer_outcome lookup_attach(struct transfer *transfer) {
  int unknown;
  int missing = ask_for_hosts(transfer, &unknown);
  if (missing < 0)
    return TRANSFER_NO_MEMORY;
  if (unknown >= 0)
    return no_host(transfer, unknown);
  if (missing == 0)
    return attach(transfer);
  wait_for_names(transfer);
  return TRANSFER_UNDER_WAY;
}

void lookup_forget(struct transfer *transfer) {
  struct engine *engine = transfer->engine;
  if (!transfer->waits_for_names)
    return;
  leave_queue(transfer);
  for (int i = 0; i < TRANSFER_HOSTS; i++) {
    struct name *name = find(transfer, i);
    if (name && name->waiting == 0)
      dns_leave(&engine->dns, &engine->poller, name);
  }
}

void lookup_distrust(const struct transfer *transfer) {
  for (int i = 0; i < TRANSFER_HOSTS; i++) {
    struct name *name = find(transfer, i);
    if (name)
      dns_forget(name);
  }
}

/* The first of its hosts that was not found, or -1; `*pending`: one of them is
 * being looked up. */
static int find_unknown(const struct transfer *transfer, int *pending) {
  int unknown = -1;
  *pending = 0;
  for (int i = 0; i < TRANSFER_HOSTS; i++) {
    const struct name *name = find(transfer, i);
    if (!name || name->addresses)
      continue;
    if (name->question.search)
      *pending = 1;
    else if (unknown < 0)
      unknown = i;
  }
  return unknown;
}

static void go_on(struct transfer *transfer, transfer_stopper *stop) {
  enum transfer_outcome outcome;
  int pending;
  int unknown = find_unknown(transfer, &pending);
  if (unknown < 0 && pending)
    return;
  leave_queue(transfer);
  outcome = unknown >= 0 ? no_host(transfer, unknown) : attach(transfer);
  if (outcome != TRANSFER_UNDER_WAY)
    stop(transfer, outcome);
}

void lookup_tidy(struct engine *engine, transfer_stopper *stop) {
  struct transfer *next;
  if (!dns_take(&engine->dns, &engine->poller))
    return;
  for (struct transfer *each = engine->first_waiting; each; each = next) {
    next = each->next_waiting;
    go_on(each, stop);
  }
  dns_drop_old(&engine->dns);
}
