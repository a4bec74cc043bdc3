/*
 * ssd_dev.h: inside the flash device: commands of the host (ssd.c) and what
 * they make chips and channels do (ssd_chip.c).
 */
#ifndef VMSIM_DISK_MODEL_SSD_DEV_H
#define VMSIM_DISK_MODEL_SSD_DEV_H

#include "disk_model/ssd_events.h"
#include "disk_model/ssd_int.h"

enum txn_kind { TXN_READ, TXN_MAP, TXN_WRITE, TXN_FLUSH };

/* A command to a chip. */
struct txn {
	enum txn_kind kind;
	uint32_t next; /* in its chip's queue, or in the list of free ones */
	uint32_t plane;
	uint32_t sectors; /* over the channel */
	uint32_t unit; /* WRITE, FLUSH: the page's first */
	uint32_t count; /* WRITE: units of the page */
	uint32_t place; /* FLUSH: first of the buffer's places */
	uint32_t then; /* MAP: what waits for it */
	bool odd; /* page number */
	bool partial; /* read, change, write */
	struct disk_io *io;
};

struct txn_list {
	uint32_t head, tail;
};

enum chip_state {
	CHIP_IDLE,
	CHIP_READ,
	CHIP_DATA_IN, /* a page to be programmed crosses the channel */
	CHIP_PROGRAM,
	CHIP_GC, /* one step of collection */
	CHIP_ERASE,
};

struct chip {
	enum chip_state state;
	uint32_t txn; /* being served */
	struct txn_list reads, writes;
	uint32_t gc_plane; /* GC, ERASE: of which plane */
	uint32_t channel;
	uint32_t next_ready; /* chips with data for the channel */
	uint64_t stamp; /* the event that is not out of date */
	uint64_t until; /* the present operation ends */
	uint64_t erase_left; /* of a suspended erase */
	/* the moves of a block, see ssd_chip.c */
	bool chain;
	bool urgent; /* commands do not go before the next step */
	bool programs; /* the present step: a program, else a read */
	uint32_t left; /* pages whose read has not begun */
	uint32_t owed; /* steps that the mapping layer has not been told of */
};

struct channel {
	bool busy;
	bool quiet; /* idle, and none of its idle chips wanted anything */
	uint32_t chip; /* whose data are on it */
	uint32_t first; /* its first chip */
	uint32_t ready_head, ready_tail;
	uint32_t turn; /* chip that is asked first */
};

struct ssd {
	struct disk_engine *engine;
	const struct ssd_params *p;
	struct ftl ftl;
	struct ssd_buffer buf;
	struct chip *chip;
	struct channel *channel;
	uint32_t nchips, planes_per_chip;
	bool chains; /* the mapping layer may be told late */
	struct txn *txn;
	uint32_t ntxn, free_txn;
	struct events events;
	uint64_t now;
	uint64_t link_free, dram_free;
	uint32_t active; /* commands held */
	uint32_t next_plane;
	struct disk_io *wait_head, *wait_tail; /* writes without room */
	struct disk_io *flush_head; /* FLUSH commands */
	uint32_t *scratch; /* one page of units */
};

/* ------------------------------------------------------------ ssd_chip.c */

int chips_create(struct ssd *s);
void chips_destroy(struct ssd *s);
/* A new command; io: whose part it is, NULL for the buffer's own. */
uint32_t txn_new(struct ssd *s, enum txn_kind kind, struct disk_io *io,
    uint32_t plane);
/* Hand it to its chip. */
void txn_enqueue(struct ssd *s, uint32_t i);
void chip_event(struct ssd *s, uint32_t c, uint64_t stamp);
void channel_event(struct ssd *s, uint32_t ch);
/* A unit's mapping is about to change from outside: bring it up to date. */
void chip_settle_unit(struct ssd *s, uint32_t unit);
/* So is all of it. */
void chips_settle(struct ssd *s);

/* ------------------------------------------------------------ ssd.c */

/* A page of a command has been read; one has been programmed. */
void ssd_page_read(struct ssd *s, struct disk_io *io, uint32_t sectors);
void ssd_page_programmed(struct ssd *s, struct disk_io *io);
/* The buffer's places from here on are on flash. */
void ssd_flushed(struct ssd *s, uint32_t place);

#endif
