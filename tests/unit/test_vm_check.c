/*
 * Goal:   the invariant checker notices every kind of damage.
 * Method: a sound machine with pages in all states; one field is damaged, the
 *         check must panic with the code that names it; a sound one passes.
 */
#include "unit/page_fixture.h"

#define NPAGES 24

/* A page in each state, by name. */
static vm_page_t free_page, zeroed, active, inactive, cached, busy, wired, held,
    shared;

static vm_page_t
make(struct page_fixture *f, vm_pindex_t pindex)
{
	vm_page_t m = vm_page_alloc(f->vm, &f->obj[0], pindex,
	    VM_ALLOC_NORMAL);

	vm_page_set_validclean(f->vm, m, 0, PAGE_SIZE);
	return (m);
}

static vm_page_t
make_active(struct page_fixture *f, vm_pindex_t pindex)
{
	vm_page_t m = make(f, pindex);

	vm_page_activate(f->vm, m);
	vm_page_wakeup(f->vm, m);
	return (m);
}

static void
populate(struct page_fixture *f)
{
	struct vm *vm = f->vm;

	zeroed = make(f, 1);
	active = make_active(f, 2);
	inactive = make_active(f, 3);
	vm_page_deactivate(vm, inactive);
	cached = make_active(f, 4);
	vm_page_cache(vm, cached);
	busy = make(f, 5);
	wired = make_active(f, 6);
	vm_page_wire(vm, wired);
	held = make(f, 7);
	vm_page_hold(held);
	vm_page_free(vm, held);
	shared = make_active(f, 8);
	vm_page_io_start(vm, shared);
	vm_page_free_zero(vm, zeroed);
	(void)make_active(f, 9);
	free_page = TAILQ_FIRST(&vm->pq[PQ_FREE].pq_pl);
}

static void
check(struct page_fixture *f)
{
	vm_check_all(f->vm);
}

/* ---- damages */

static void d_none(struct page_fixture *f) { (void)f; }
static void d_name(struct page_fixture *f) { (void)f; active->queue = 2; }
static void d_colour(struct page_fixture *f) { (void)f; free_page->pc = 1; }
static void d_domain(struct page_fixture *f) { (void)f; active->domain = 1; }
static void d_length(struct page_fixture *f)
{
	f->vm->dom[0].vmd_active.pq_cnt++;
}
static void d_links(struct page_fixture *f)
{
	(void)f;
	active->pageq.tqe_next->pageq.tqe_prev = &inactive->pageq.tqe_next;
}
static void d_counter(struct page_fixture *f) { f->vm->cnt.v_free_count++; }
static void d_cache_counter(struct page_fixture *f)
{
	f->vm->cnt.v_cache_count++;
}
static void d_wired(struct page_fixture *f) { f->vm->cnt.v_wire_count++; }
static void d_zeroed(struct page_fixture *f) { f->vm->page_zero_count--; }
static void d_pages(struct page_fixture *f) { f->vm->cnt.v_page_count--; }
static void d_domain_free(struct page_fixture *f)
{
	f->vm->dom[0].vmd_free_count--;
}
static void d_free_valid(struct page_fixture *f) { (void)f; zeroed->valid = 1; }
static void d_free_wired(struct page_fixture *f)
{
	(void)f;
	zeroed->wire_count = 1;
}
static void d_hold(struct page_fixture *f) { (void)f; held->hold_count = 0; }
static void d_cache_dirty(struct page_fixture *f)
{
	(void)f;
	cached->dirty = 1;
}
static void d_queued_wired(struct page_fixture *f)
{
	(void)f;
	active->wire_count = 1;
}
static void d_queued_unmanaged(struct page_fixture *f)
{
	(void)f;
	inactive->flags |= PG_UNMANAGED;
}
static void d_marker(struct page_fixture *f)
{
	(void)f;
	busy->flags |= PG_MARKER;
}
static void d_notavail(struct page_fixture *f)
{
	(void)f;
	busy->flags |= PG_NOTAVAIL;
}
static void d_owner(struct page_fixture *f)
{
	busy->object = &f->obj[1];
}
static void d_order(struct page_fixture *f) { (void)f; active->pindex = 99; }
static void d_resident(struct page_fixture *f)
{
	f->obj[0].resident_page_count++;
}
static void d_tree(struct page_fixture *f)
{
	f->obj[0].root->left = NULL;
	f->obj[0].root->right = NULL;
}
static void d_no_tree(struct page_fixture *f) { f->obj[0].root = NULL; }
static void d_tree_loop(struct page_fixture *f)
{
	vm_page_t m = f->obj[0].root;

	while (m->left != NULL)
		m = m->left;
	m->left = f->obj[0].root;
}
static void d_lost_object(struct page_fixture *f)
{
	TAILQ_REMOVE(&f->vm->object_list, &f->obj[0], object_list);
}
static void d_adrift(struct page_fixture *f)
{
	(void)f;
	vm_page_wakeup(f->vm, busy);
}

static const struct {
	void (*damage)(struct page_fixture *f);
	const char *code;
} damages[] = {
	{ d_none, "" },
	{ d_name, "CHECK_MEMBER" },
	{ d_colour, "CHECK_COLOUR" },
	{ d_domain, "CHECK_DOMAIN" },
	{ d_length, "CHECK_LENGTH" },
	{ d_links, "CHECK_LINKS" },
	{ d_counter, "CHECK_COUNTERS" },
	{ d_cache_counter, "CHECK_COUNTERS" },
	{ d_wired, "CHECK_WIRED" },
	{ d_zeroed, "CHECK_ZEROED" },
	{ d_pages, "CHECK_PAGES" },
	{ d_domain_free, "CHECK_DOMAIN" },
	{ d_free_valid, "CHECK_FREE" },
	{ d_free_wired, "CHECK_FREE" },
	{ d_hold, "CHECK_HOLD" },
	{ d_cache_dirty, "CHECK_CACHE" },
	{ d_queued_wired, "CHECK_QUEUED" },
	{ d_queued_unmanaged, "CHECK_QUEUED" },
	{ d_marker, "CHECK_PAGE" },
	{ d_notavail, "CHECK_NOTAVAIL" },
	{ d_owner, "CHECK_OBJECT" },
	{ d_order, "CHECK_ORDER" },
	{ d_resident, "CHECK_RESIDENT" },
	{ d_tree, "CHECK_TREE" },
	{ d_no_tree, "CHECK_TREE" },
	{ d_tree_loop, "CHECK_TREE" },
	{ d_lost_object, "CHECK_OBJECTS" },
	{ d_adrift, "CHECK_ADRIFT" },
};

START_TEST(damage_is_noticed)
{
	struct page_fixture *f = pf_pages(NPAGES, 1);

	ck_assert_str_eq(pf_run(f, populate), "");
	damages[_i].damage(f);
	ck_assert_str_eq(pf_run(f, check), damages[_i].code);
	pf_destroy(f);
}
END_TEST

/* vmcheck_all leaves open what a caller does with a page of no queue. */
static void
check_structures(struct page_fixture *f)
{
	vmcheck_all(f->vm);
}

START_TEST(structures_may_be_sound_while_a_page_is_adrift)
{
	struct page_fixture *f = pf_pages(NPAGES, 1);

	ck_assert_str_eq(pf_run(f, populate), "");
	vm_page_wakeup(f->vm, busy);
	ck_assert_str_eq(pf_run(f, check_structures), "");
	pf_destroy(f);
}
END_TEST

/* Markers of a scan are in a list and in no count. */
START_TEST(markers_are_passed_over)
{
	struct page_fixture *f = pf_pages(NPAGES, 1);
	struct vm_page *marker;

	ck_assert_str_eq(pf_run(f, populate), "");
	marker = &f->vm->dom[0].vmd_marker;
	marker->flags = PG_BUSY | PG_MARKER;
	marker->queue = (uint16_t)PQ_INACTIVE(f->vm);
	TAILQ_INSERT_HEAD(&f->vm->dom[0].vmd_inactive.pq_pl, marker, pageq);
	ck_assert_str_eq(pf_run(f, check), "");
	pf_destroy(f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("vm_check");
	TCase *tc = tcase_create("vm_check");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, damage_is_noticed, 0,
	    sizeof(damages) / sizeof(damages[0]));
	tcase_add_test(tc, structures_may_be_sound_while_a_page_is_adrift);
	tcase_add_test(tc, markers_are_passed_over);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
