#!/usr/bin/env python3
"""What three idle nodes cost, and how long a group is without a leader after kill -9.

    benches/liveness.py idle     [--binary target/release/centralita] [--shards 16 32 64] [--seconds 20]
    benches/liveness.py failover [--binary ...] [--shards 16] [--kills 20] [--pause] [--load target/release/centralita-sim]

Idle: user and system time of the three processes together, from /proc, as a share of one core, once all groups have
leaders and nothing happens. Failover: for every group that the killed node led, the time from the signal to the line in which
another node says that it leads, by their logs; --pause stops the process (SIGSTOP) instead, so that nobody is told;
--load keeps the groups busy, so that they do not rest.
Every kill waits until leaders are spread again, or half a minute.
"""

import argparse, datetime, json, os, re, shutil, signal, socket, subprocess, tempfile, time

TICKS = os.sysconf("SC_CLK_TCK")
LEADS = re.compile(r"^(\S+)\s+INFO \S+: leading group=group_(\d+) term=(\d+)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Cluster:
    """Three nodes on loopback."""

    def __init__(self, binary, shards):
        self.binary, self.shards = binary, shards
        self.folder = tempfile.mkdtemp(prefix="liveness-")
        held = [socket.socket() for _ in range(3)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        self.addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in held]
        for one in held:
            one.close()
        self.nodes = [self.serve(at) for at in range(3)]

    def serve(self, at):
        command = [self.binary, "serve", "--node", str(at + 1), "--shards", str(self.shards)]
        command += ["--data", f"{self.folder}/{at + 1}", "--listen", self.addresses[at]]
        for member, address in enumerate(self.addresses):
            command += ["--member", f"{member + 1}={address}"]
        log = open(f"{self.folder}/log{at + 1}", "a")
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)

    def led(self):
        """Each group's leaders, as (time, term, node), by the logs."""
        found = {}
        for at in range(3):
            with open(f"{self.folder}/log{at + 1}") as log:
                for line in log:
                    line = COLOUR.sub("", line)
                    match = LEADS.search(line)
                    if match:
                        when, group, term = match.groups()
                        when = datetime.datetime.fromisoformat(when.replace("Z", "+00:00")).timestamp()
                        found.setdefault(int(group), []).append((when, int(term), at))
        return {group: sorted(leads, key=lambda one: one[1]) for group, leads in found.items()}

    def leaders(self):
        return {group: leads[-1][2] for group, leads in self.led().items()}

    def settled(self, seconds, spread=False):
        """Waits until every group has a leader; if asked, until each node leads its share."""
        until = time.time() + seconds
        while time.time() < until:
            leaders = self.leaders()
            share = [list(leaders.values()).count(at) for at in range(3)]
            if len(leaders) == self.shards + 1 and (not spread or min(share) >= (self.shards + 1) // 3):
                return True
            time.sleep(0.2)
        return False

    def cpu_s(self):
        total = 0
        for node in self.nodes:
            fields = open(f"/proc/{node.pid}/stat").read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def stop(self):
        for node in self.nodes:
            node.kill()
            node.wait()
        shutil.rmtree(self.folder)


def idle(args):
    for shards in args.shards:
        cluster = Cluster(args.binary, shards)
        assert cluster.settled(60), "no leaders"
        time.sleep(5)
        before, start = cluster.cpu_s(), time.time()
        time.sleep(args.seconds)
        share = (cluster.cpu_s() - before) / (time.time() - start)
        print(json.dumps({"shards": shards, "percent_of_a_core": round(100 * share, 1)}), flush=True)
        cluster.stop()


def failover(args):
    gaps = []
    cluster = Cluster(args.binary, args.shards[0])
    assert cluster.settled(60), "no leaders"
    load = None
    if args.load:
        command = [args.load, "load", "--target", ",".join(cluster.addresses), "--duration", "1h"]
        command += ["--domains", str(2 * args.shards[0]), "--agents", "4", "--rate", "1"]
        load = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(5)
    for kill in range(args.kills):
        cluster.settled(30, spread=True)
        time.sleep(2)
        victim = kill % 3
        lost = {group: leads[-1][1] for group, leads in cluster.led().items() if leads[-1][2] == victim}
        killed = time.time()
        cluster.nodes[victim].send_signal(signal.SIGSTOP if args.pause else signal.SIGKILL)
        if not args.pause:
            cluster.nodes[victim].wait()
        time.sleep(3)
        led = cluster.led()
        for group, term in lost.items():
            after = [when for when, later, at in led[group] if later > term and at != victim and when >= killed]
            gaps.append((min(after) - killed) * 1000 if after else float("inf"))
        if args.pause:
            cluster.nodes[victim].send_signal(signal.SIGCONT)
        else:
            cluster.nodes[victim] = cluster.serve(victim)
        time.sleep(1)
    if load:
        assert load.poll() is None, "the load has ended"
        load.kill()
        load.wait()
    cluster.stop()
    gaps.sort()
    at = lambda share: round(gaps[min(len(gaps) - 1, int(share * len(gaps)))])
    print(json.dumps({"kills": args.kills, "gaps": len(gaps), "p50_ms": at(0.5), "p90_ms": at(0.9), "p99_ms": at(0.99), "worst_ms": round(gaps[-1])}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["idle", "failover"])
    parser.add_argument("--binary", default="target/release/centralita")
    parser.add_argument("--shards", type=int, nargs="+")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--pause", action="store_true")
    parser.add_argument("--load", help="the load tester, to keep the groups busy")
    args = parser.parse_args()
    args.shards = args.shards or ([16, 32, 64] if args.what == "idle" else [16])
    {"idle": idle, "failover": failover}[args.what](args)
