/*
 * An ALSA sequencer that connects nothing, for machines without /dev/snd/seq: Qtractor does not start without one.
 * Loaded before it (LD_PRELOAD); what needs the kernel is answered here, everything else by the real library.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static int handle, ports, ends[2] = {-1, -1};

int snd_seq_open(void **sequencer, const char *name, int streams, int mode) {
    (void)name, (void)streams, (void)mode;
    if (ends[0] < 0 && pipe(ends) != 0) return -errno;
    *sequencer = &handle;
    return 0;
}

int snd_seq_poll_descriptors(void *s, struct pollfd *descriptors, unsigned space, short events) {
    (void)s;
    if (space < 1) return 0;
    /* Nothing is ever written to the other end. */
    descriptors[0].fd = ends[0];
    descriptors[0].events = events & POLLIN;
    return 1;
}

int snd_seq_poll_descriptors_count(void *s, short events) { (void)s, (void)events; return 1; }
int snd_seq_create_simple_port(void *s, const char *name, unsigned caps, unsigned type) {
    (void)s, (void)name, (void)caps, (void)type;
    return ports++;
}
int snd_seq_client_id(void *s) { (void)s; return 128; }
int snd_seq_event_input(void *s, void **event) { (void)s, (void)event; return -EAGAIN; }

#define SUCCEEDS(name) int name(void *a, void *b, void *c, void *d) { (void)a, (void)b, (void)c, (void)d; return 0; }
#define FINDS_NOTHING(name) int name(void *a, void *b, void *c, void *d) { (void)a, (void)b, (void)c, (void)d; return -ENOENT; }

SUCCEEDS(snd_seq_close)
SUCCEEDS(snd_seq_set_client_name)
SUCCEEDS(snd_seq_alloc_queue)
SUCCEEDS(snd_seq_free_queue)
SUCCEEDS(snd_seq_control_queue)
SUCCEEDS(snd_seq_delete_simple_port)
SUCCEEDS(snd_seq_drain_output)
SUCCEEDS(snd_seq_drop_input)
SUCCEEDS(snd_seq_drop_output)
SUCCEEDS(snd_seq_event_input_pending)
SUCCEEDS(snd_seq_event_output)
SUCCEEDS(snd_seq_event_output_direct)
SUCCEEDS(snd_seq_get_port_info)
SUCCEEDS(snd_seq_set_port_info)
SUCCEEDS(snd_seq_get_queue_status)
SUCCEEDS(snd_seq_get_queue_tempo)
SUCCEEDS(snd_seq_set_queue_tempo)
SUCCEEDS(snd_seq_set_queue_timer)
SUCCEEDS(snd_seq_remove_events)
SUCCEEDS(snd_seq_unsubscribe_port)
FINDS_NOTHING(snd_seq_subscribe_port)
FINDS_NOTHING(snd_seq_get_any_client_info)
FINDS_NOTHING(snd_seq_get_any_port_info)
FINDS_NOTHING(snd_seq_query_next_client)
FINDS_NOTHING(snd_seq_query_next_port)
FINDS_NOTHING(snd_seq_query_port_subscribers)
FINDS_NOTHING(snd_timer_open)
FINDS_NOTHING(snd_timer_query_open)
