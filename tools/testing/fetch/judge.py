#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Is a byte of a shared ring read twice? As TAP, from the plugin's log.

    judge.py [--ko FILE] DIR

DIR is what a run left: out/fetch/log (see plugin.c), out/fetch/rings (what debugfs said
at the end), and xen-netback.ko, which ran. Its debug information tells which verb of
ring.h an instruction belongs to, inlined or not.

The log holds each access of the driver's to memory that dom0 has mapped, in its order.
A page is a ring from where an xenvif_KIND_ring_attach() reads its response producer, to
the next time. From then on, with nothing known of what the driver thinks of itself:

* Requests are read slot after slot, each byte of a slot once. A byte that is read out of
  this order was read before, or is none that was posted. (A buffer that an extra info
  takes the place of is not read at all.)
* Responses are written slot after slot, never further than requests were read, and to
  the bytes of a response only. So no slot is read after it was answered, until its
  turn comes a lap later.
* All reads of slots are in one verb of ring.h.
* The indices are read whole. Those that the driver itself writes are not read, but by
  the attach and for debugfs. What the guest writes is read by one instruction in each
  copy of a verb; the response event once after each time that responses are shown.
* Where debugfs shows a ring in the end, it has consumed as many requests as were read.
"""

import argparse
import collections
import os
import re
import struct
import subprocess
import sys

MAGIC = b"xvfetch1"
RECORD = struct.Struct("<BBHIQ")
HEADER = 64                 # of a ring's page
INDICES = ("req_prod", "req_event", "rsp_prod", "rsp_event")
# What a slot has: bytes of a request, of a response.
KINDS = {"tx": (12, 4), "rx": (8, 8), "ctrl": (16, 12)}
ENTRIES = {"tx": 256, "rx": 256, "ctrl": 128}
# So many buffers in a row are taken for what is in their place, and need not be read:
# extra infos.
UNREAD = {"tx": 0, "rx": 4, "ctrl": 0}
# Where slots are read.
READS = {"tx": "xenvif_tx_ring_fetch", "rx": "xenvif_rx_ring_take",
         "ctrl": "xenvif_ctrl_ring_take"}
ATTACH = re.compile(r"xenvif_(tx|rx|ctrl)_ring_attach$")
VIEW = re.compile(r"xenvif_(tx|rx|ctrl)_ring_view$")
VERB = re.compile(r"xenvif_(tx|rx|ctrl)_ring_\w+$")


class Broken(Exception):
    """The log tells nothing."""


class Site:
    """An instruction: where it is, by what functions it got there."""

    def __init__(self, offset, frames):
        # Innermost first: (function, "file:line")
        self.offset, self.frames = offset, frames
        self.verb = None
        self.instance = None
        for i, (function, _) in enumerate(frames):
            if VERB.match(function):
                # The outermost: a verb may use another.
                self.verb = function
                self.instance = (function, *frames[i + 1:])
        self.attach = self._kind(ATTACH)
        self.view = self._kind(VIEW)
        self.name = None

    def _kind(self, pattern):
        found = pattern.match(self.verb or "")
        return found.group(1) if found else None

    def __str__(self):
        way = " < ".join(f for f, _ in self.frames)
        return f"{self.name} ({way}, {self.frames[0][1]})"


class Symbols:
    """What of the driver is where, from the module's file."""

    def __init__(self, ko):
        self.ko = ko
        self.functions = []
        self.sites = {}
        said = self._call("readelf", "-W", "-S", ko)
        text = re.search(r"\[ *(\d+)\] \.text +PROGBITS +\S+ \S+ (\S+)", said)
        if not text or ".debug_info" not in said:
            raise Broken(f"{ko} has no .text, or no debug information")
        self.size = int(text.group(2), 16)
        for line in self._call("readelf", "-W", "-s", ko).splitlines():
            word = line.split()
            if len(word) == 8 and word[3] == "FUNC" and word[6] == text.group(1):
                self.functions.append((int(word[1], 16), word[7]))
        self.functions.sort()

    @staticmethod
    def _call(*command):
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "LC_ALL": "C"}).stdout

    def load(self, offsets):
        """Looks all of them up at once."""
        said = self._call("addr2line", "-e", self.ko, "-j", ".text", "-i", "-f", "-a",
                          *(hex(o) for o in offsets))
        for part in re.split(r"^0x(?=[0-9a-f]{16}$)", said, flags=re.M)[1:]:
            lines = part.splitlines()
            frames = [(f.split(".")[0], os.path.basename(where.split(" ")[0]))
                      for f, where in zip(lines[1::2], lines[2::2])]
            site = Site(int(lines[0], 16), frames)
            start, name = max((f for f in self.functions if f[0] <= site.offset),
                              default=(0, "?"))
            site.name = f"{name}+{site.offset - start:#x}"
            self.sites[site.offset] = site


class Faults:
    """What is wrong, by rule; one line for each place and kind of it."""

    def __init__(self):
        self.found = collections.defaultdict(collections.Counter)
        self.first = {}

    def add(self, rule, kind, what, site, detail):
        key = (kind, what, str(site))
        self.found[rule][key] += 1
        self.first.setdefault((rule, key), detail)

    def lines(self, rule):
        for key, count in self.found[rule].most_common():
            kind, what, where = key
            yield (f"{kind} ring: {what}: {count} times by {where}; "
                   f"first: {self.first[rule, key]}")


class Ring:
    """One connection's ring: what was read and written so far."""

    def __init__(self, kind, number, judge):
        self.kind, self.number, self.judge = kind, number, judge
        self.request, self.response = KINDS[kind]
        self.entries = ENTRIES[kind]
        self.slot_size = self.request
        # Slots begun to be read, and to be answered; both began at slot "base".
        self.read = self.answered = 0
        self.base = None
        self.read_bytes = self.answered_bytes = 0
        # Read in part: what nobody needs the compiler may leave out. Or not at all, to
        # be answered all the same.
        self.partly = self.passed = 0
        self.unread = UNREAD[kind]
        self.whole = (1 << self.slot_size) - 1
        self.shown = True           # responses, since the event was read
        self.consumed_at_view = set()

    def fault(self, rule, what, site, detail):
        self.judge.faults.add(rule, self.kind, what, site,
                              f"connection {self.number}, {detail}")

    def position(self, offset, size, rule, site):
        """Slot and bytes of it, as a mask; None if there is no such place."""
        slot, first = divmod(offset - HEADER, self.slot_size)
        if slot >= self.entries or first + size > self.slot_size:
            self.fault(rule, "an access to no one slot", site,
                       f"byte {offset} of the page, {size} bytes")
            return None, 0
        return slot, ((1 << size) - 1) << first

    def load(self, offset, size, site):
        if site.view:
            self.judge.views[self.kind] += 1
            self.consumed_at_view.add(self.read)
            if offset >= 16:
                self.fault("slots", "debugfs reads a slot", site, f"byte {offset}")
            return
        if offset < HEADER:
            self.load_index(offset, size, site)
            return
        slot, mask = self.position(offset, size, "slots", site)
        if mask:
            self.load_slot(slot, mask, site)
            self.judge.slot_sites[self.kind][site.offset] += 1
            if site.verb != READS[self.kind]:
                self.fault("place", "a slot is read elsewhere", site,
                           f"slot {slot}, {where(mask)}")

    def load_slot(self, slot, mask, site):
        if self.base is None:
            self.base = slot
        now = (self.base + self.read - 1) % self.entries
        if self.read and slot == now and not mask & self.read_bytes and \
                self.answered < self.read:
            self.read_bytes |= mask
            return
        ahead = (slot - self.base - self.read) % self.entries
        if ahead <= self.unread:
            if self.read + ahead - self.answered >= self.entries:
                self.fault("slots", "a slot is read that is not answered yet", site,
                           f"slot {slot}, {where(mask)}, lap {self.read // self.entries}")
            self.pass_by(ahead + 1, mask)
            return
        ago = (now - slot) % self.entries
        index = self.read - 1 - ago
        detail = f"slot {slot}, {where(mask)}, lap {max(index, 0) // self.entries}"
        if index < 0:
            self.fault("slots", "a slot is read before its turn", site, detail)
        elif index < self.answered:
            self.fault("slots", "a byte is read after it was answered", site, detail)
        else:
            self.fault("slots", "a byte is read twice", site, detail)

    def load_index(self, offset, size, site):
        detail = f"byte {offset} of the page, {size} bytes"
        if offset >= 16 or offset % 4 or size != 4:
            self.fault("indices", "an index is not read whole", site, detail)
            return
        name = INDICES[offset // 4]
        self.judge.index_loads[self.kind, name] += 1
        if not site.verb:
            self.fault("indices", f"{name} is read outside of ring.h", site, detail)
        if name == "req_event" or (name == "rsp_prod" and not site.attach):
            self.fault("back", f"{name}, which is the driver's, is read back", site, detail)
        elif name == "rsp_event":
            if not self.shown:
                self.fault("indices", "rsp_event is read twice for one rsp_prod", site,
                           detail)
            self.shown = False
        elif name == "req_prod":
            self.judge.index_sites[site.instance].add(site.offset)

    def store(self, offset, size, site):
        if offset < HEADER:
            if offset not in (4, 8) or size != 4:
                self.fault("writes", "not an index of the driver's", site,
                           f"byte {offset} of the page, {size} bytes")
            if offset == 8:
                self.shown = True
            self.judge.index_stores[self.kind] += 1
            return
        slot, mask = self.position(offset, size, "writes", site)
        if not mask:
            return
        if mask >> self.response:
            self.fault("writes", "bytes that are no response's", site,
                       f"slot {slot}, {where(mask)}")
        last = None if self.base is None else (self.base + self.answered - 1) % self.entries
        if self.answered and slot == last and not mask & self.answered_bytes:
            self.answered_bytes |= mask
            return
        if self.base is not None and self.answered < self.read + self.unread and \
                slot == (self.base + self.answered) % self.entries:
            self.answered += 1
            self.answered_bytes = mask
            if self.answered > self.read:
                self.pass_by(1, 0)
            return
        self.fault("writes", "an answer to nothing that was read", site,
                   f"slot {slot}, {where(mask)}")

    def pass_by(self, n, mask):
        """The next n slots are begun, those before the last are not read at all."""
        self.partly += bool(self.read) and self.read_bytes != self.whole
        self.passed += n - bool(mask)
        self.read += n
        self.read_bytes = mask


def where(mask):
    """The bytes of a mask, for people."""
    first, last = (mask & -mask).bit_length() - 1, mask.bit_length() - 1
    return f"byte {first}" if first == last else f"bytes {first} to {last}"


def records(path):
    with open(path, "rb") as file:
        data = file.read()
    if data[:8] != MAGIC:
        raise Broken(f"{path} is no log")
    if len(data) < 8 + RECORD.size or (len(data) - 8) % RECORD.size:
        raise Broken(f"{path} ends in a record")
    return RECORD.iter_unpack(memoryview(data)[8:])


class Judge:
    def __init__(self, symbols):
        self.symbols = symbols
        self.faults = Faults()
        self.current = {}           # by number of a page
        self.rings = collections.defaultdict(list)
        self.index_loads = collections.Counter()
        self.index_stores = collections.Counter()
        self.index_sites = collections.defaultdict(set)
        self.slot_sites = collections.defaultdict(collections.Counter)
        self.views = collections.Counter()
        self.others = collections.Counter()     # accesses by nobody of the driver's
        self.elsewhere = 0          # accesses to pages that are no rings
        self.loads = self.stores = 0
        self.watched = False        # whether others were, see plugin.c

    def sites_in(self, path):
        """First pass: which instructions there are, and that the log is whole."""
        base, offsets, ended, n = None, set(), False, 0
        for n, (kind, _, _, count, pc) in enumerate(records(path)):
            if ended:
                raise Broken("the log goes on after its end")
            if kind in b"LS":
                if base is not None and pc - base < self.symbols.size:
                    offsets.add(pc - base)
            elif kind == ord("M"):
                base = pc
            elif kind == ord("E"):
                if pc != n:
                    raise Broken(f"the log says that it has {pc} records, it has {n}")
                ended = True
            del count
        if not ended:
            raise Broken("the log has no end")
        if base is None:
            raise Broken("dom0 never said where the driver is")
        self.symbols.load(sorted(offsets))

    def judge(self, path):
        self.sites_in(path)
        base = 0
        sites, current = self.symbols.sites, self.current
        for kind, size, offset, page, pc in records(path):
            if kind == 76 or kind == 83:        # L, S
                site = sites.get(pc - base)
                if site is None:
                    continue
                if site.attach and kind == 76 and offset == 8:
                    self.attach(site.attach, page)
                ring = current.get(page)
                if ring is None:
                    self.elsewhere += 1
                elif kind == 76:
                    self.loads += 1
                    ring.load(offset, size, site)
                else:
                    self.stores += 1
                    ring.store(offset, size, site)
            elif kind == ord("M"):
                base = pc
            elif kind in b"lsxy" and page in current:
                self.others[chr(kind), pc] += 1
            elif kind == ord("K"):
                self.watched = True

    def attach(self, kind, page):
        ring = Ring(kind, len(self.rings[kind]), self)
        self.rings[kind].append(ring)
        self.current[page] = ring

    def index_twice(self):
        """Copies of a verb in which more than one instruction reads the producer."""
        for instance, offsets in sorted(self.index_sites.items(), key=str):
            if instance and len(offsets) > 1:
                places = ", ".join(self.symbols.sites[o].name for o in sorted(offsets))
                yield (f"req_prod is read at {len(offsets)} places of one "
                       f"{instance[0]}: {places}")

    def consumers(self, path):
        """What debugfs said of rings, against what was read; (lines, rings that fit)."""
        wrong, fit = [], 0
        with open(path, encoding="utf-8") as file:
            said = re.findall(r"^(tx|rx|ctrl) ring: .*\n +requests: +producer \d+, "
                              r"consumer (\d+),", file.read(), re.M)
        for kind, consumer in said:
            seen = [r.consumed_at_view for r in self.rings[kind] if r.consumed_at_view]
            if any(int(consumer) in c for c in seen):
                fit += 1
            else:
                wrong.append(f"a {kind} ring has consumed {consumer} requests; those looked "
                             f"at had {sorted(set().union(*seen))[-20:]} read")
        return wrong, fit


class Tap:
    def __init__(self):
        self.cases = []

    def case(self, what, faults, remarks=(), skip=None):
        self.cases.append((what, list(faults), list(remarks), skip))

    def say(self):
        """Prints all; true if none failed."""
        print(f"1..{len(self.cases)}")
        for n, (what, faults, remarks, skip) in enumerate(self.cases, 1):
            for line in remarks:
                print(f"# {line}")
            for line in faults[:10]:
                print(f"# FAIL: {line}")
            print("%s %d fetch: %s%s" % ("not ok" if faults else "ok", n, what,
                                         f" # SKIP {skip}" if skip else ""))
        return not any(faults for _, faults, _, _ in self.cases)


def report(judge, place):
    tap = Tap()
    faults = judge.faults
    for kind in KINDS:
        rings = judge.rings[kind]
        slots = sum(r.read for r in rings)
        laps = sum(r.read // r.entries for r in rings)
        if not slots:
            tap.case(f"{kind} rings: every byte of a slot is read once", (),
                     skip="no request was read")
            continue
        passed = sum(r.passed for r in rings)
        partly = sum(r.partly for r in rings) - passed
        slots -= passed
        sites = judge.slot_sites[kind]
        tap.case(f"{kind} rings: every byte of a slot is read once",
                 [x for x in faults.lines("slots") if x.startswith(kind)],
                 [f"{kind}: {len(rings)} connections, {slots} slots read, {laps} full laps, "
                  f"by {sum(sites.values())} loads"
                  + (f"; {partly} not as a whole" if partly else "")
                  + (f"; {passed} more answered unread" if passed else "")])
        tap.case(f"{kind} rings: slots are read by {READS[kind]}() alone",
                 [x for x in faults.lines("place") if x.startswith(kind)],
                 [f"{n} loads by {judge.symbols.sites[o]}" for o, n in sites.most_common(8)])
    tap.case("what the driver wrote is not read back", faults.lines("back"),
             [f"{sum(judge.views.values())} looks for debugfs, which nothing is decided by"])
    tap.case("indices are read whole, and once",
             [*faults.lines("indices"), *judge.index_twice()],
             [f"{kind}: {name} read {n} times"
              for (kind, name), n in sorted(judge.index_loads.items())])
    tap.case("only answers and the driver's own indices are written", faults.lines("writes"),
             [f"{judge.stores} stores, {sum(judge.index_stores.values())} of them of indices"])
    path = os.path.join(place, "out", "fetch", "rings")
    wrong, fit = judge.consumers(path) if os.path.exists(path) else (["nothing is said"], 0)
    if not fit and not wrong:
        wrong = ["debugfs shows no ring at the end"]
    tap.case("as many requests are read as debugfs says were consumed", wrong,
             [f"{fit} rings were looked at in the end, and fit"])
    if judge.watched:
        others(judge, tap)
    return tap


def others(judge, tap):
    """Who else reads rings: the hypervisor, dom0's kernel, other modules."""
    kernel = [f"{'a load' if k == 'l' else 'a store'} by dom0's kernel at {pc:#x}: {n} times"
              for (k, pc), n in judge.others.most_common() if k in "ls"]
    xen = [f"{'loads' if k == 'x' else 'stores'} by Xen at {pc:#x}: {n}"
           for (k, pc), n in judge.others.most_common() if k in "xy"]
    tap.case("nothing of dom0's kernel but the driver touches a ring", kernel)
    tap.case("Xen does not read a ring", [x for x in xen if x.startswith("loads")],
             [x for x in xen if x.startswith("stores")])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ko")
    parser.add_argument("dir")
    args = parser.parse_args()
    try:
        judge = Judge(Symbols(args.ko or os.path.join(args.dir, "xen-netback.ko")))
        judge.judge(os.path.join(args.dir, "out", "fetch", "log"))
        tap = report(judge, args.dir)
    except (Broken, OSError, subprocess.CalledProcessError) as why:
        tap = Tap()
        tap.case("there is a log of all accesses", [str(why)])
    return 0 if tap.say() else 1


if __name__ == "__main__":
    sys.exit(main())
