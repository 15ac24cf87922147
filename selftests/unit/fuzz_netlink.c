// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the netlink family as user space meets it: requests with any attributes, dumps
 * that are read message by message while VMs come and go, by several users of two user
 * namespaces.
 *
 * The input's bytes are choices; one that is too short continues with pseudo-random
 * bytes, so that a few bytes make a whole session.  What an answer says is compared with the VMs that
 * there are: nobody is told of what is another's, nothing is told of twice, and a list
 * that has changed says so.
 */
#include "fake_family.h"
#include "fuzz_check.h"
#include "fuzz_input.h"
#include "user.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define NR_VMS 6
#define NR_VCPUS 3
#define NR_STEPS 40

/* A VM, and who is counted for it; not there: its ID is 0. */
static struct machine {
	struct lodge_vm vm;
	struct lodge_vcpu vcpu[NR_VCPUS];
	struct lodge_user *user;
} machines[NR_VMS];

static struct user_namespace guest_ns = { .parent = &init_user_ns };

/**
 * struct viewer - who has opened the socket, and who sends
 */
struct viewer {
	struct lodge_owner opener;
	bool opener_admin;
	struct lodge_owner sender;
	bool sender_admin;
};

/**
 * struct reader - a dump, and what it must be
 * @viewer: who has asked
 * @only: the VM that it is for; 0: all
 * @changes: number of changes when its list was looked at first
 * @steady: of each machine that is there since then, a bit per vCPU of that moment, and
 *	bit 0 for itself
 * @told: what it has told of: bit per vCPU (or one for the VM), by ID
 * @last: the last user or event
 * @flagged: a message has NLM_F_DUMP_INTR
 * @looked: the list was looked at
 */
static struct reader {
	bool on;
	struct family_request request;
	struct family_dump dump;
	struct viewer viewer;
	u32 only;
	u64 changes;
	u32 steady[NR_VMS];
	u32 told[KERNEL_IDS + 1];
	u64 last;
	bool flagged;
	bool looked;
} reader;

static u64 changes;
static bool no_memory;

bool kernel_has_no_memory(void)
{
	return no_memory;
}

/* A number that means something here, or one at a limit, or any. */
static u64 next_value(struct input *in)
{
	static const u64 ends[] = { 0,
				    1,
				    2,
				    3,
				    1000,
				    1001,
				    0x7fffffff,
				    0x80000000,
				    0xfffffffe,
				    0xffffffff,
				    ~0ULL,
				    ~0ULL - 1,
				    LODGE_MAX_VCPUS };
	u8 byte = next_byte(in);

	switch (byte % 4) {
	case 0:
		return machines[byte / 4 % NR_VMS].vm.identity.id;
	case 1:
		return next_bytes(in, 8);
	default:
		return ends[byte / 4 % ARRAY_SIZE(ends)];
	}
}

/*
 * What there is.
 */

static struct viewer viewer_now(void)
{
	return (struct viewer){
		.opener = { .uid = family_file.f_cred->uid,
			    .user_ns = family_file.f_cred->user_ns },
		.opener_admin = family_file.admin,
		.sender = lodge_owner_current(),
		.sender_admin = kernel_admin,
	};
}

static bool is_admin(const struct viewer *viewer)
{
	return viewer->opener_admin && viewer->sender_admin;
}

static bool is_same(const struct lodge_owner *a, const struct lodge_owner *b)
{
	return a->uid.val == b->uid.val && a->user_ns == b->user_ns;
}

static bool sees(const struct viewer *viewer, const struct lodge_owner *owner)
{
	return (viewer->opener_admin || is_same(&viewer->opener, owner)) &&
	       (viewer->sender_admin || is_same(&viewer->sender, owner));
}

/* The same of a user in the sender's namespace. */
static bool sees_user(const struct viewer *viewer, u32 uid)
{
	const struct lodge_owner owner = { .uid = { uid },
					   .user_ns = viewer->sender.user_ns };

	return sees(viewer, &owner);
}

static struct machine *machine_of(u32 id)
{
	for (u32 i = 0; i < NR_VMS; i++)
		if (machines[i].vm.identity.id == id)
			return id ? &machines[i] : NULL;
	return NULL;
}

/* Most send through sockets of their own. */
static void be_someone(struct input *in)
{
	u8 byte = next_byte(in);
	struct file file;

	family_be(1000 + (byte & 1), byte & 2 ? &guest_ns : &init_user_ns,
		  byte & 4);
	if (byte < 0x80)
		return;
	file = family_file;
	family_be(1000 + (byte >> 3 & 1),
		  byte & 0x10 ? &guest_ns : &init_user_ns, byte & 0x20);
	family_file = file;
}

static void add_machine(struct machine *machine, u8 byte)
{
	static const char *const names[] = { "", "a", "b", "web-1.x_y" };
	const struct task_struct thread = kernel_thread;
	struct lodge_owner owner;

	kernel_thread.uid = 1000 + (byte & 1);
	kernel_thread.user_ns = byte & 2 ? &guest_ns : &init_user_ns;
	owner = lodge_owner_current();
	machine->user = lodge_user_get_vm(lodge_owner_host_uid(&owner), 4096);
	if (!IS_ERR(machine->user)) {
		if (!family_add_vm(&machine->vm, names[byte / 4 % 4])) {
			changes++;
		} else {
			family_remove_vm(&machine->vm);
			lodge_user_put_vm(machine->user, 4096);
		}
	}
	kernel_thread = thread;
}

static void remove_machine(struct machine *machine)
{
	for (u32 i = 0; i < NR_VCPUS; i++)
		if (machine->vcpu[i].vm)
			lodge_user_put_vcpu(machine->user, 0);
	memset(machine->vcpu, 0, sizeof(machine->vcpu));
	family_remove_vm(&machine->vm);
	lodge_user_put_vm(machine->user, 4096);
	reader.steady[machine - machines] = 0;
	changes++;
}

static void add_vcpu(struct machine *machine, u8 byte)
{
	static const u32 ids[NR_VCPUS] = { 0, 17, LODGE_MAX_VCPUS - 1 };
	struct lodge_vcpu *vcpu = &machine->vcpu[byte % NR_VCPUS];

	if (vcpu->vm || lodge_user_get_vcpu(machine->user, 0))
		return;
	family_add_vcpu(&machine->vm, vcpu, ids[byte % NR_VCPUS]);
	changes++;
	local64_set(&vcpu->stats.exits[LODGE_VMEXIT_CPUID], byte);
	if (byte & 0x40)
		vcpu->thread = &kernel_thread;
	if (byte & 0x80) {
		/* Its entry is over, or whoever asks for its time would wait for that. */
		vcpu->mode = LODGE_IN_GUEST;
		vcpu->time.left.high = LODGE_TIME_IN_GUEST;
	}
	vcpu->cpu = byte & 0x20 ? 1 : -1;
}

static void change_machine(struct input *in, u8 byte)
{
	struct machine *machine = &machines[byte % NR_VMS];

	if (!machine->vm.identity.id)
		add_machine(machine, next_byte(in));
	else if (byte & 0x80)
		remove_machine(machine);
	else
		add_vcpu(machine, next_byte(in));
}

/*
 * What was asked, and what was answered.
 */

/* An attribute of any number and size. */
static void choose_attr(struct input *in, struct family_request *request)
{
	static const u8 sizes[] = { 4, 4, 8, 8, 0, 2, 5, 1 };
	u8 byte = next_byte(in);
	u64 value = next_value(in);

	family_put(request, byte % 16, &value,
		   sizes[byte / 16 % ARRAY_SIZE(sizes)]);
}

/* An attribute as the policy wants it. */
static void choose_good_attr(struct input *in, struct family_request *request,
			     const struct genl_ops *op)
{
	static const char *const names[] = { "a", "b", "vm-1", "web-1.x_y" };
	u8 type = 1 + next_byte(in) % op->maxattr;
	const char *name = names[next_byte(in) % ARRAY_SIZE(names)];
	u64 value = next_value(in);

	switch (op->policy[type].type) {
	case NLA_U32:
		family_put(request, type, &value, sizeof(u32));
		break;
	case NLA_U64:
		family_put(request, type, &value, sizeof(u64));
		break;
	case NLA_NUL_STRING:
		family_put(request, type, name, strlen(name) + 1);
		break;
	case NLA_FLAG:
		family_put(request, type, &value, 0);
		break;
	}
}

static void choose_request(struct input *in, struct family_request *request,
			   bool dump)
{
	u8 byte = next_byte(in);
	const struct genl_ops *op;

	*request =
		(struct family_request){ .command = byte % 10, .dump = dump };
	op = family_op(request);
	for (byte = byte / 16 % 8; byte; byte--)
		if (op && next_byte(in) % 16)
			choose_good_attr(in, request, op);
		else
			choose_attr(in, request);
	/* Now and then not even attributes. */
	if (next_byte(in) == 0xff && request->size)
		request->attrs[next_byte(in) % request->size] = next_byte(in);
}

static u32 u32_of(const struct nlmsghdr *header, u16 type)
{
	const struct nlattr *attr = family_attr(header, type);

	require(attr && nla_len(attr) == sizeof(u32));
	return nla_get_u32(attr);
}

static void check_header(const struct nlmsghdr *header, u8 command)
{
	const struct genlmsghdr *genl = NLMSG_DATA(header);

	require(header->nlmsg_type == KERNEL_FAMILY);
	require(header->nlmsg_seq == FAMILY_SEQ);
	require(header->nlmsg_pid == FAMILY_PORT);
	require(genl->cmd == command);
}

static void check_vm(u32 id, const struct viewer *viewer)
{
	const struct machine *machine = machine_of(id);

	require(machine && sees(viewer, &machine->vm.identity.owner));
}

/* Return: true if the request names this VM, and nothing else. */
static bool is_meant(const struct family_request *request,
		     const struct lodge_vm *vm)
{
	const struct nlattr *id = request->table[LODGE_VM_ID];
	const struct nlattr *name = request->table[LODGE_VM_NAME];
	const struct nlattr *uid = request->table[LODGE_VM_UID];

	return (id || name) && (!id || nla_get_u32(id) == vm->identity.id) &&
	       (!name || !strcmp(nla_data(name), vm->identity.name)) &&
	       (!uid || nla_get_u32(uid) == vm->identity.owner.uid.val);
}

static void check_answer(const struct family_request *request,
			 const struct viewer *viewer)
{
	const struct nlmsghdr *header = (const void *)family_answer->data;

	require(header->nlmsg_len == family_answer->len);
	check_header(header, request->command);
	switch (request->command) {
	case LODGE_CMD_VM_GET:
		check_vm(u32_of(header, LODGE_VM_ID), viewer);
		require(is_meant(request,
				 &machine_of(u32_of(header, LODGE_VM_ID))->vm));
		break;
	case LODGE_CMD_STATS_GET:
		check_vm(u32_of(header, LODGE_STATS_VM), viewer);
		require(u32_of(header, LODGE_STATS_VM) ==
			nla_get_u32(request->table[LODGE_STATS_VM]));
		require(u32_of(header, LODGE_STATS_VCPU) ==
			nla_get_u32(request->table[LODGE_STATS_VCPU]));
		break;
	case LODGE_CMD_LIMIT_GET:
		require(u32_of(header, LODGE_LIMIT_SCOPE) != LODGE_SCOPE_USER ||
			sees_user(viewer, u32_of(header, LODGE_LIMIT_UID)));
		break;
	default:
		abort();
	}
}

static void do_request(struct input *in)
{
	const struct viewer viewer = viewer_now();
	struct family_request request;
	int error;

	choose_request(in, &request, false);
	family_killed = NULL;
	error = family_do(&request);
	require(!kernel_locks);
	require(!error || !family_answer);
	require(!family_killed ||
		(sees(&viewer, &family_killed->identity.owner) &&
		 is_meant(&request, family_killed)));
	require(!!family_killed ==
		(!error && request.command == LODGE_CMD_VM_KILL));
	require(error || request.command != LODGE_CMD_LIMIT_SET ||
		is_admin(&viewer));
	if (family_answer)
		check_answer(&request, &viewer);
}

/*
 * Dumps.
 */

/* What is told of a vCPU: bit 0 is the VM's. */
static u32 bit_of(u32 vcpu)
{
	return BIT(1 + vcpu % 31);
}

static bool is_list(u8 command)
{
	return command == LODGE_CMD_VM_GET || command == LODGE_CMD_VCPU_GET ||
	       command == LODGE_CMD_STATS_GET;
}

/* What the list must have told of a machine. */
static u32 must_tell(u32 number)
{
	const struct lodge_vm *vm = &machines[number].vm;
	u32 steady = reader.steady[number];

	if ((reader.only && reader.only != vm->identity.id) ||
	    !sees(&reader.viewer, &vm->identity.owner))
		return 0;
	return reader.request.command == LODGE_CMD_VM_GET ? steady & 1 :
							    steady & ~1U;
}

static void end_dump(bool complete)
{
	u16 flag = family_dump_end(&reader.dump);

	reader.on = false;
	if (!complete || !is_list(reader.request.command))
		return;
	require(reader.flagged || flag || reader.changes == changes);
	for (u32 i = 0; i < NR_VMS; i++) {
		u32 told = reader.told[machines[i].vm.identity.id];

		require(!reader.steady[i] || !(must_tell(i) & ~told));
	}
}

/* The list is looked at for the first time. */
static void look(void)
{
	reader.looked = true;
	reader.changes = changes;
	for (u32 i = 0; i < NR_VMS; i++) {
		reader.steady[i] = !!machines[i].vm.identity.id;
		for (u32 j = 0; j < NR_VCPUS; j++)
			if (machines[i].vcpu[j].vm)
				reader.steady[i] |=
					bit_of(machines[i].vcpu[j].id);
	}
}

static void start_dump(struct input *in)
{
	const struct genl_ops *op;

	if (reader.on)
		end_dump(false);
	memset(&reader, 0, sizeof(reader));
	choose_request(in, &reader.request, true);
	op = family_op(&reader.request);
	if (family_dump_start(&reader.dump, &reader.request))
		return;
	require(!kernel_locks && op);
	reader.on = true;
	reader.viewer = viewer_now();
	/* LODGE_STATS_VM has that number, too. */
	if (is_list(reader.request.command) &&
	    reader.request.table[LODGE_VCPU_VM]) {
		reader.only = nla_get_u32(reader.request.table[LODGE_VCPU_VM]);
		look();
	}
}

static void check_told_vm(const struct nlmsghdr *header, u16 type, u32 bit)
{
	u32 id = u32_of(header, type);

	check_vm(id, &reader.viewer);
	require(!reader.only || reader.only == id);
	require(!(reader.told[id] & bit));
	reader.told[id] |= bit;
}

static void check_told_vcpu(const struct nlmsghdr *header)
{
	u32 number = u32_of(header, LODGE_VCPU_ID);

	require(number < LODGE_MAX_VCPUS);
	check_told_vm(header, LODGE_VCPU_VM, bit_of(number));
}

static void check_told_limit(const struct nlmsghdr *header)
{
	u64 place = u32_of(header, LODGE_LIMIT_SCOPE) == LODGE_SCOPE_DEFAULT ?
			    1 :
			    2;

	if (u32_of(header, LODGE_LIMIT_SCOPE) == LODGE_SCOPE_USER) {
		u32 uid = u32_of(header, LODGE_LIMIT_UID);

		require(sees_user(&reader.viewer, uid));
		place = 3ULL + uid;
	}
	require(place > reader.last);
	reader.last = place;
}

static void check_told_news(const struct nlmsghdr *header)
{
	const struct nlattr *seq = family_attr(header, LODGE_NEWS_SEQ);
	const struct nlattr *uid = family_attr(header, LODGE_NEWS_UID);

	require(seq && nla_get_u64(seq) > reader.last);
	reader.last = nla_get_u64(seq);
	/* Those of the other namespace have the same numbers here. */
	require(!uid || reader.viewer.sender_admin ||
		nla_get_u32(uid) == reader.viewer.sender.uid.val);
}

static void check_told(const struct nlmsghdr *header)
{
	static_assert((int)LODGE_STATS_VM == (int)LODGE_VCPU_VM);
	static_assert((int)LODGE_STATS_VCPU == (int)LODGE_VCPU_ID);

	check_header(header, reader.request.command);
	require(header->nlmsg_flags & NLM_F_MULTI);
	reader.flagged |= !!(header->nlmsg_flags & NLM_F_DUMP_INTR);
	switch (reader.request.command) {
	case LODGE_CMD_VM_GET:
		check_told_vm(header, LODGE_VM_ID, 1);
		break;
	case LODGE_CMD_VCPU_GET:
	case LODGE_CMD_STATS_GET:
		check_told_vcpu(header);
		break;
	case LODGE_CMD_LIMIT_GET:
		check_told_limit(header);
		break;
	case LODGE_CMD_NEWS_GET:
		check_told_news(header);
		break;
	default:
		abort();
	}
}

/* Room for one message of statistics and some more. */
static void go_on_with_dump(struct input *in)
{
	struct sk_buff *skb;
	unsigned int at = 0;
	int result;

	if (!reader.on)
		return;
	if (!reader.looked)
		look();
	skb = family_buffer(1024 + 16 * next_byte(in));
	result = family_dump_next(&reader.dump, skb);
	require(!kernel_locks);
	/* Each message fits into an empty buffer. */
	require(result == (int)skb->len);
	while (at < skb->len) {
		const struct nlmsghdr *header = (void *)(skb->data + at);

		require(header->nlmsg_len <= skb->len - at);
		check_told(header);
		at += NLMSG_ALIGN(header->nlmsg_len);
	}
	free(skb);
	if (!result)
		end_dump(true);
}

static void step(struct input *in)
{
	u8 byte = next_byte(in);

	switch (byte % 8) {
	case 0:
		be_someone(in);
		break;
	case 1:
		no_memory = byte & 0x80;
		break;
	case 2:
		start_dump(in);
		break;
	case 3:
	case 4:
		go_on_with_dump(in);
		break;
	case 5:
		do_request(in);
		break;
	default:
		change_machine(in, next_byte(in));
		break;
	}
}

static void begin(void)
{
	const struct lodge_limits limits[] = {
		{ LODGE_SCOPE_DEFAULT, .limit = { 4, 8, 1 << 20, 1 << 20 } },
		{ LODGE_SCOPE_TOTAL, .limit = { 6, 16, 1 << 20, 1 << 20 } },
	};

	memset(&reader, 0, sizeof(reader));
	memset(machines, 0, sizeof(machines));
	no_memory = false;
	changes = 0;
	family_be(1000, &init_user_ns, true);
	for (u32 i = 0; i < ARRAY_SIZE(limits); i++)
		require(!lodge_limits_set(&limits[i], 0xf));
}

static void end(void)
{
	if (reader.on)
		end_dump(false);
	for (u32 i = 0; i < NR_VMS; i++)
		if (machines[i].vm.identity.id)
			remove_machine(&machines[i]);
	lodge_user_exit();
	family_end();
	require(!init_user_ns.users && !guest_ns.users && !family_pids.users);
	require(!family_pid.users);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = input_of(data, size);

	begin();
	for (int i = 0; i < NR_STEPS; i++)
		step(&in);
	end();
	return 0;
}
