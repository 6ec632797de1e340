# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""One emulated machine: laid out in a directory of its own, booted, watched."""

import os
import secrets
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from . import config, images, module, programs, scan, ui
from .ui import RigError

# No SMAP: QEMU 7.2 mishandles an IRET to user mode under it.
# A clock that counts instructions: without erms and fsrm, for a `rep movsb` would
# count one per byte.
CPU = "max,-smap"
COUNTS = ["-accel", "tcg,thread=single", "-cpu", CPU + ",-erms,-fsrm",
          "-icount", "shift=1,sleep=off"]
ACCEL = {
    "single": ["-accel", "tcg,thread=single", "-cpu", CPU],
    "multi": ["-accel", "tcg,thread=multi", "-cpu", CPU],
    "steady": COUNTS,
    "icount": COUNTS,
}
# QEMU 7.2's cmpxchg16b takes the flags from where an earlier instruction may have
# left an address. An interrupt right behind it then finds the direction or the trap
# flag set, and memory is written backwards: a kernel dies once in some hours. Linux
# uses the instruction in its slab allocator alone, and not for caches with checks.
# Figures are not to depend on these, so the modes that measure go without.
KERNEL_ARGS = {"single": "slub_debug=F",
               "steady": "slub_debug=F cryptomgr.notests=1"}
# A third of a guest's way to its shell are tests of the kernel's ciphers and the walk
# through its page tables that ends with "Checked W+X mappings"; dom0's is left to it.
GUEST_ARGS = {"steady": "rodata=off"}
# How many times longer a dom0 may take for what the others do in time, what its
# kernel is told, and its MiB.
SLOW = {"debug": 6}
SLOW_STEADY = {"debug": 2}
DOM0_ARGS = {"debug": "tsc=unstable watchdog_thresh=30 "
                      "workqueue.watchdog_thresh=120"}
DOM0_MEM = {"debug": 1536}
STOP_GRACE = 90     # seconds dom0 has to collect logs once told to stop
EXIT_RIG = 70       # the machine failed, whatever the script would have said
EXIT_TIME = 124


class Machine:
    """opts is what the command line said (see the script `rig`)."""

    def __init__(self, opts, pkgset):
        self.opts, self.pkgset = opts, pkgset
        self.nonce = secrets.token_hex(8)
        runs = os.path.join(config.cache_dir(), "runs")
        os.makedirs(runs, exist_ok=True)
        _expire(runs)
        stamp = time.strftime("%m%d-%H%M%S")
        self.dir = tempfile.mkdtemp(prefix=f"{opts.name}-{stamp}-", dir=runs)
        self.share = os.path.join(self.dir, "share")
        self.logs = os.path.join(self.share, "logs")
        self.console = os.path.join(self.dir, "console.log")
        # Sockets want short names.
        self.sockets = tempfile.mkdtemp(prefix="rig.")
        self.qemu = None
        self.ports = {}
        self.ko = None

    # -- laying out ---------------------------------------------------------

    def prepare(self):
        opts = self.opts
        os.makedirs(self.logs)
        os.makedirs(os.path.join(self.share, "out"))
        dom0 = self.pkgset.kernel(opts.dom0)
        guests = opts.guests or [opts.guest]
        self.dom0_kernel = dom0
        tree = os.path.join(self.dir, "overlay")
        os.makedirs(tree)
        files = {
            "init": os.path.join(config.RIG_DIR, "dom0", "init"),
            "rig/detectors": os.path.join(config.RIG_DIR, "dom0",
                                          "detectors"),
            "rig/lib.sh": os.path.join(config.RIG_DIR, "dom0", "lib.sh"),
            "rig/bin/guestctl": images.tool("dom0/guestctl.c"),
        }
        extra = {}
        for place in opts.bin_dirs:
            for name in sorted(os.listdir(place)) if os.path.isdir(place) else ():
                path = os.path.join(place, name)
                if os.path.isfile(path) and os.access(path, os.X_OK):
                    extra["rig/bin/" + name] = path
        for pair in opts.file:
            src, _, dst = pair.partition(":")
            if not dst.startswith("/"):
                raise RigError(f"--file {pair}: HOSTPATH:/PATH/IN/DOM0 wanted")
            if os.path.isdir(src):
                for place, _, names in os.walk(src):
                    rel = os.path.relpath(place, src)
                    for name in names:
                        files[os.path.normpath(os.path.join(
                            dst.strip("/"), rel, name))] = \
                            os.path.join(place, name)
            elif os.path.isfile(src):
                files[dst.strip("/")] = src
            else:
                raise RigError(f"--file {pair}: there is no {src}")
        for name in opts.program:
            files["rig/bin/" + name] = programs.bring(name, self.share)
        base, modules = images.base(self.pkgset, dom0, "dom0")
        parts = [base]
        if opts.netback != "distro":
            ui.live(f"building xen-netback for {dom0['version']}")
            self.ko = module.build(dom0, opts.source, opts.make_arg)
            if opts.netback == "ours":
                images.add_module(modules, dom0["version"], self.ko, tree)
            files["rig/ours/xen-netback.ko"] = self.ko
            shutil.copy2(self.ko, self.dir)     # for gdb
            self._keep_notes()
        images.overlay(tree, {**files, **extra},
                       os.path.join(self.dir, "overlay.cpio"))
        shutil.rmtree(tree)
        parts.append(os.path.join(self.dir, "overlay.cpio"))
        for short in guests:
            parts.append(self._guest(short, extra))
        self.initrd = os.path.join(self.dir, "dom0.cpio")
        images.concat(parts, self.initrd)
        if opts.script:
            shutil.copy2(opts.script[0], os.path.join(self.share, "script"))
        self._environment()

    def _keep_notes(self):
        """gcc's notes of a build that counts coverage, for the counters."""
        place = os.path.join(self.share, "out", "gcov")
        build = os.path.dirname(self.ko)
        notes = [n for n in os.listdir(build) if n.endswith(".gcno")]
        if not any("GCOV_PROFILE=y" in arg for arg in self.opts.make_arg):
            return
        os.makedirs(place)
        for name in notes:
            shutil.copy2(os.path.join(build, name), place)

    def _guest(self, short, extra):
        """An archive for dom0 that holds a guest's kernel and initrd.

        xl maps them from dom0's memory: through 9p it would take seconds.
        """
        kernel = self.pkgset.kernel(short)
        work = os.path.join(self.dir, "guest-" + short)
        tree, over = os.path.join(work, "tree"), os.path.join(work, "over")
        os.makedirs(os.path.join(tree, "usr", "sbin"))
        for name in ("poweroff", "halt", "reboot"):
            os.symlink("/rig/agent", os.path.join(tree, "usr", "sbin", name))
        images.overlay(tree, {
            "init": os.path.join(config.RIG_DIR, "guest", "init"),
            "rig/agent": images.tool("guest/agent.c"), **extra}, over)
        base, modules = images.base(self.pkgset, kernel, "guest")
        place = os.path.join(work, "dom0", "rig", "guest", short)
        os.makedirs(place)
        images.concat([base, over], os.path.join(place, "initrd"))
        if self.opts.driver_domain:
            self._driver(kernel, modules, work, os.path.join(place, "driver"))
        try:
            os.link(kernel["vmlinux"], os.path.join(place, "vmlinux"))
        except OSError:
            shutil.copyfile(kernel["vmlinux"], os.path.join(place, "vmlinux"))
        out = os.path.join(self.dir, f"guest-{short}.cpio")
        images.cpio(os.path.join(work, "dom0"), out)
        shutil.rmtree(work)
        return out

    def _driver(self, kernel, modules, work, out):
        """What goes behind a guest's initrd to make it a driver domain's."""
        parts = [images.base(self.pkgset, kernel, "driver")[0]]
        if self.opts.netback != "distro":
            ko = module.build(kernel, self.opts.source, self.opts.make_arg)
            tree, files = os.path.join(work, "driver-tree"), {}
            if self.opts.netback == "ours":
                images.add_module(modules, kernel["version"], ko, tree)
            else:
                files["rig/ours/xen-netback.ko"] = ko
            parts.append(os.path.join(work, "driver-over"))
            images.overlay(tree, files, parts[-1])
        images.concat(parts, out)

    def _environment(self):
        opts = self.opts
        script = opts.script or [""]
        words = {
            "RIG_MODE": opts.mode_word, "RIG_NONCE": self.nonce,
            "RIG_SCRIPT_NAME": os.path.basename(script[0]),
            "RIG_GUEST_KERNEL": opts.guest, "RIG_DOM0_KERNEL": opts.dom0,
            "RIG_NETBACK": opts.netback, "RIG_CPUS": str(opts.cpus),
            "RIG_ACCEL": opts.mode,
            "RIG_KERNEL_ARGS": f"{KERNEL_ARGS.get(opts.mode, '')} "
                               f"{GUEST_ARGS.get(opts.mode, '')}",
            "RIG_SLOW": str((SLOW_STEADY if opts.mode == "steady" else SLOW)
                            .get(opts.dom0, 1)),
            "RIG_MODPROBE": "0" if opts.no_modprobe else "1",
            "RIG_TERM": os.environ.get("TERM", "vt100"),
            "RIG_STTY": _stty(),
        }
        for pair in opts.env:
            key, _, value = pair.partition("=")
            words[key] = value
        with open(os.path.join(self.share, "env"), "w",
                  encoding="utf-8") as file:
            for key, value in words.items():
                file.write(f"export {key}={shlex.quote(value)}\n")
            file.write("RIG_ARGS=(" +
                       " ".join(map(shlex.quote, script[1:])) + ")\n")

    # -- booting ------------------------------------------------------------

    def command_line(self):
        opts = self.opts
        dom0_mem = opts.dom0_mem or (DOM0_MEM.get(opts.dom0, 1024)
                                     + 512 * opts.driver_domain)
        xen = ("console=com1 com1=115200,8n1 "
               f"dom0_mem={dom0_mem}M,max:{dom0_mem}M "
               f"dom0_max_vcpus={opts.cpus} spec-ctrl=no,eager-fpu bootscrub=0 "
               "loglvl=all guest_loglvl=all console_timestamps=none "
               "gnttab_max_frames=256 " + opts.xen_args).strip()
        linux = ("console=hvc0 loglevel=5 mitigations=off "
                 f"random.trust_cpu=on {DOM0_ARGS.get(opts.dom0, '')} "
                 f"{KERNEL_ARGS.get(opts.mode, '')} "
                 + opts.dom0_args).strip()
        argv = ["qemu-system-x86_64", "-name", f"rig-{opts.name}",
                "-nodefaults", "-no-user-config", "-display", "none",
                "-no-reboot", *ACCEL[opts.mode], "-smp", str(opts.cpus),
                "-m", str(opts.mem),
                "-kernel", self.pkgset.xen, "-append", xen,
                "-initrd", f"{self.dom0_kernel['vmlinux']} "
                           f"{linux},{self.initrd}",
                "-serial", f"file:{self.console}",
                "-virtfs", f"local,path={self.share},mount_tag=host,"
                           "security_model=none,id=host",
                # Each port costs QEMU's loop two descriptors to look at.
                "-device", "virtio-serial-pci,max_ports=6"]
        for name in self._names():
            kind = "virtconsole" if name == "tty" else "virtserialport"
            argv += ["-chardev", f"socket,id={name},"
                                 f"path={self.sockets}/{name}",
                     "-device", f"{kind},chardev={name},name=rig.{name}"]
        argv += ["-chardev", f"socket,id=qmp,path={self.sockets}/qmp,"
                             "server=on,wait=off", "-mon",
                 "chardev=qmp,mode=control"]
        if opts.plugin:
            name, _, args = opts.plugin.partition(",")
            argv += ["-plugin", ",".join(
                [os.path.abspath(name), f"share={self.share}"]
                + ([args] if args else []))]
        if opts.gdb:
            argv += ["-gdb", f"tcp:127.0.0.1:{opts.gdb}"]
        return argv + opts.qemu_arg

    def _names(self):
        names = ["ctl", "out", "err"]
        return names + ["tty"] if self.opts.mode_word == "shell" else names

    def boot(self):
        listeners = {}
        for name in self._names():
            listeners[name] = socket.socket(socket.AF_UNIX)
            listeners[name].bind(os.path.join(self.sockets, name))
            listeners[name].listen(1)
            listeners[name].settimeout(30)
        argv = self.command_line()
        with open(os.path.join(self.dir, "qemu.log"), "w",
                  encoding="utf-8") as log:
            log.write(shlex.join(argv) + "\n")
            log.flush()
            try:
                self.qemu = subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True)
            except FileNotFoundError as exc:
                raise RigError("qemu-system-x86_64 is not installed",
                               "run `tools/testing/rig/rig packages` as root"
                               ) from exc
        for name, listener in listeners.items():
            # QEMU may refuse its command line before it connects.
            while True:
                listener.settimeout(0.5)
                try:
                    self.ports[name] = listener.accept()[0]
                    break
                except socket.timeout as exc:
                    if self.qemu.poll() is not None:
                        raise RigError("QEMU did not start:\n"
                                       + self._tail("qemu.log", 5)) from exc
            self.ports[name].setblocking(False)
            listener.close()

    # -- watching -----------------------------------------------------------

    def watch(self):
        """Until the verdict, the end of QEMU or of the time; (status, why)."""
        select = selectors.DefaultSelector()
        for name, port in self.ports.items():
            select.register(port, selectors.EVENT_READ, name)
        raw = _RawTerminal(select) if "tty" in self.ports else None
        start = time.monotonic()
        deadline = start + self.opts.timeout if self.opts.timeout else None
        stopped = None
        pending = b""
        stage = "starting Xen"
        console = open(self.console, "rb") if os.path.exists(self.console) \
            else None
        fatal_at = None
        try:
            while True:
                now = time.monotonic()
                if raw is None:
                    ui.live(f"{stage} ({now - start:.0f} s of "
                            f"{self.opts.timeout} s)")
                for key, _ in select.select(0.5):
                    if key.data == "stdin":
                        data = os.read(0, 4096)
                        self.ports["tty"].setblocking(True)
                        self.ports["tty"].sendall(data)
                        self.ports["tty"].setblocking(False)
                        continue
                    try:
                        data = key.fileobj.recv(65536)
                    except BlockingIOError:
                        continue
                    if not data:
                        select.unregister(key.fileobj)
                        continue
                    if key.data == "ctl":
                        pending += data
                        while b"\n" in pending:
                            line, _, pending = pending.partition(b"\n")
                            words = line.decode(errors="replace").split(" ", 1)
                            if words[0] == "stage":
                                stage = words[1]
                                if self.opts.verbose:
                                    ui.step(stage)
                            elif words[0] == "verdict":
                                nonce, _, status = words[1].partition(" ")
                                if nonce == self.nonce:
                                    self._drain()
                                    status = int(status)
                                    if stopped and status == EXIT_TIME:
                                        return status, "the time was up"
                                    return status, ""
                    else:
                        self._pass_on(key.data, data)
                if self.qemu.poll() is not None:
                    return EXIT_RIG, ("the machine went away (QEMU exited "
                                      f"{self.qemu.returncode})")
                if console is None:
                    if os.path.exists(self.console):
                        console = open(self.console, "rb")
                else:
                    text = console.read().decode(errors="replace")
                    if text and not fatal_at and scan.FATAL.search(text):
                        fatal_at = now
                if fatal_at and now > fatal_at + 3:
                    return EXIT_RIG, "Xen or dom0's kernel died"
                if deadline and now > deadline and not stopped:
                    stopped = now
                    self.ports["ctl"].sendall(b"stop\n")
                if stopped and now > stopped + STOP_GRACE:
                    return EXIT_TIME, ("the time was up, and dom0 did not "
                                       "answer")
        finally:
            if raw:
                raw.restore()
            if console:
                console.close()
            select.close()

    def _drain(self):
        """What the script wrote before the verdict has all been sent."""
        for name in ("out", "err", "tty"):
            if name not in self.ports:
                continue
            while True:
                try:
                    data = self.ports[name].recv(65536)
                except (BlockingIOError, ConnectionError):
                    break
                if not data:
                    break
                self._pass_on(name, data)

    @staticmethod
    def _pass_on(name, data):
        ui.clear()
        stream = sys.stderr if name == "err" else sys.stdout
        stream.buffer.write(data)
        stream.flush()

    # -- afterwards ---------------------------------------------------------

    def stop(self):
        if self.qemu and self.qemu.poll() is None:
            self.qemu.terminate()
            try:
                self.qemu.wait(10)
            except subprocess.TimeoutExpired:
                self.qemu.kill()
                self.qemu.wait()
        for port in self.ports.values():
            port.close()
        shutil.rmtree(self.sockets, ignore_errors=True)
        # What is large and can be had again.
        for name in os.listdir(self.dir):
            path = os.path.join(self.dir, name)
            if name == "overlay" or (name.startswith("guest-")
                                     and os.path.isdir(path)):
                shutil.rmtree(path, ignore_errors=True)
            elif name.endswith(".cpio"):
                os.unlink(path)
        shutil.rmtree(os.path.join(self.share, "programs"), ignore_errors=True)

    def log_files(self):
        found = [self.console] if os.path.exists(self.console) else []
        for place, _, names in os.walk(self.logs):
            found += [os.path.join(place, n) for n in sorted(names)
                      if n.endswith(".log") and n != "xenstore.log"]
        return found

    def faults(self):
        """What the logs show, whatever the verdict."""
        noise = scan.Noise(self.opts.allow)
        found, seen = [], set()
        for path in self.log_files():
            for number, line in scan.faults(path, noise):
                # dom0's words are on the console and in its dmesg
                text = line.split("] ", 1)[-1]
                if text not in seen:
                    seen.add(text)
                    found.append((os.path.relpath(path, self.dir), number,
                                  line))
        return found

    def _tail(self, name, lines):
        try:
            with open(os.path.join(self.dir, name), encoding="utf-8",
                      errors="replace") as file:
                return "".join(file.readlines()[-lines:])
        except OSError:
            return ""

    def console_tail(self, lines=20):
        return self._tail("console.log", lines)

    def keep(self, place):
        """Copy the logs and what the script left in /host/out."""
        os.makedirs(place, exist_ok=True)
        for name in ("console.log", "qemu.log", "xen-netback.ko"):
            src = os.path.join(self.dir, name)
            if os.path.exists(src):
                shutil.copy2(src, place)
        for name in ("logs", "out"):
            src = os.path.join(self.share, name)
            if os.path.isdir(src):
                shutil.copytree(src, os.path.join(place, name),
                                dirs_exist_ok=True)

    def discard(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class _RawTerminal:
    """The person's keys go to dom0 as they are."""

    def __init__(self, select):
        self.saved = None
        if sys.stdin.isatty():
            import termios
            import tty
            self.termios = termios
            self.saved = termios.tcgetattr(0)
            tty.setraw(0)
        try:
            select.register(0, selectors.EVENT_READ, "stdin")
        except PermissionError:
            pass        # a file: nothing to wait for

    def restore(self):
        if self.saved:
            self.termios.tcsetattr(0, self.termios.TCSADRAIN, self.saved)


def _stty():
    try:
        size = os.get_terminal_size(0)
    except OSError:
        return ""
    return f"rows {size.lines} cols {size.columns}"


def _expire(runs, keep=12):
    """Logs of old failed runs go, a day after."""
    dirs = sorted((os.path.join(runs, d) for d in os.listdir(runs)),
                  key=os.path.getmtime)
    for old in dirs[:-keep]:
        if time.time() - os.path.getmtime(old) > 86400:
            shutil.rmtree(old, ignore_errors=True)


def run(opts, pkgset):
    """The whole of `rig run`; returns the exit status."""
    machine = Machine(opts, pkgset)

    def quit_now(signum, frame):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, quit_now)

    try:
        try:
            machine.prepare()
            ui.live("booting")
            machine.boot()
            status, why = machine.watch()
        finally:
            machine.stop()
            ui.clear()
    except KeyboardInterrupt:
        ui.error(f"interrupted; logs: {machine.dir}")
        return 130
    except RigError:
        machine.discard()
        raise
    found = machine.faults()
    if found and not status:
        status = EXIT_RIG
        why = "the script was content, but the logs show faults"
    if status and not why:
        why = f"the script exited {status}"
    if opts.keep_logs:
        machine.keep(opts.keep_logs)
    if not status:
        machine.discard()
        ui.live("")
        ui.clear()
        return 0
    ui.error(why)
    for name, number, line in found:
        sys.stderr.write(f"  {name}:{number}: {line[:160]}\n")
    if not opts.quiet_tail:
        sys.stderr.write("  the end of Xen's and dom0's console:\n")
        for line in machine.console_tail().splitlines():
            sys.stderr.write(f"  | {line[:160]}\n")
    sys.stderr.write(f"  all logs: {machine.dir}\n")
    return status
