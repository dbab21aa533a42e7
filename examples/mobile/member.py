"""
A member's device in Python: prints every notification once and in order, whatever becomes of the connection.

    python3 -m pip install 'python-socketio[client]==5.18.1'
    BELFRY_URL=https://notify.example BELFRY_TOKEN=… python3 member.py memory.json

What it knows is kept in the file, so that it goes on from there when it is started again.
"""
import json
import os
import random
import signal
import sys
import threading

import socketio

NAMESPACE = "/notifications"


class Stream:
    """
    One stream by the client rule of docs/PROTOCOL.md. May be called from any thread. `device` has `replace(items)`, `apply(entry)`, which gets
    each entry once and in order, `save()`, `sync(name, cursor)` and `begin_again()`.
    """

    def __init__(self, name, cursor, device):
        self.name, self.cursor, self.device = name, cursor, device
        self.held, self.missed, self.catching_up = {}, False, False
        self.lock = threading.RLock()

    def on_snapshot(self, snapshot):
        with self.lock:
            self.device.replace(snapshot["items"])
            self.cursor = {"epoch": snapshot["epoch"], "seq": snapshot["seq"]}
            self.held = {}
            self.device.save()
            missed, self.missed = self.missed, False
        # python-socketio runs every handler in a thread of its own, so entries may overtake the snapshot that they follow.
        if missed:
            self.catch_up()

    def on_entries(self, epoch, entries):
        with self.lock:
            if self.cursor is None or self.cursor["epoch"] != epoch:
                self.missed = True
                return
            self.held.update({entry["seq"]: entry for entry in entries})
            while (entry := self.held.pop(self.cursor["seq"] + 1, None)) is not None:
                self.cursor = {"epoch": epoch, "seq": entry["seq"]}
                self.device.apply(entry)
            self.device.save()
            self.held = {seq: entry for seq, entry in self.held.items() if seq > self.cursor["seq"]}
            gap = len(self.held) > 0
        if gap:
            self.catch_up()

    def on_synced(self, epoch, seq):
        with self.lock:
            behind = self.cursor is not None and self.cursor["epoch"] == epoch and self.cursor["seq"] < seq
        if behind:
            self.catch_up()

    def on_disconnect(self):
        with self.lock:
            self.held = {}

    def catch_up(self):
        with self.lock:
            if self.catching_up or self.cursor is None:
                return
            self.catching_up = True
        more = True
        try:
            while more:
                epoch = self.cursor["epoch"]
                answer = self.device.sync(self.name, self.cursor)
                if answer is None:  # Not connected any more: the next connection begins from the cursor.
                    return
                if not answer["ok"]:  # It cannot be continued: a connection without it brings a snapshot.
                    self.cursor = None
                    self.device.begin_again()
                    return
                self.on_entries(epoch, answer["entries"])
                more = answer["more"]
        finally:
            self.catching_up = False


class Member:
    """A device that follows the member's inbox. `token()` gives the newest token; `show(notification)` is called once for each."""

    def __init__(self, url, token, memory, show):
        self.url, self.token, self.memory, self.show = url, token, memory, show
        known = memory.load()
        self.seen = set(known["seen"])
        self.inbox = Stream("inbox", known["cursor"], self)
        self.ended = threading.Event()
        self.after = 0.0
        self.socket = None

    def run(self):
        """Connects, and comes back whenever the connection is lost, until `stop` or until the service says that it is over."""
        attempts = 0
        while not self.ended.is_set():
            self.after = 0.0
            self.socket = self.make_socket()
            try:
                self.socket.connect(self.url, auth=self.greeting, namespaces=[NAMESPACE], transports=["websocket"], wait_timeout=20)
                attempts = 0
                self.socket.wait()
            except socketio.exceptions.ConnectionError:
                attempts += 1
            self.inbox.on_disconnect()
            # Full jitter from 1 to 5 s, so that all members of a node do not come back at once; longer where the service asks for it.
            self.ended.wait(max(self.after, random.random() * min(5.0, 2.0**attempts)))

    def stop(self):
        self.ended.set()
        if self.socket is not None:
            self.socket.disconnect()

    def greeting(self):
        cursor = self.inbox.cursor
        return {"token": self.token(), "cursors": {} if cursor is None else {"inbox": cursor}}

    def make_socket(self):
        socket = socketio.Client(reconnection=False, handle_sigint=False)

        @socket.on("snapshot", namespace=NAMESPACE)
        def snapshot(data):
            if data["stream"] == "inbox":
                self.inbox.on_snapshot(data)

        @socket.on("entries", namespace=NAMESPACE)
        def entries(data):
            if data["stream"] == "inbox":
                self.inbox.on_entries(data["epoch"], data["entries"])

        @socket.on("synced", namespace=NAMESPACE)
        def synced(data):
            if data["stream"] == "inbox":
                self.inbox.on_synced(data["epoch"], data["seq"])

        @socket.on("goodbye", namespace=NAMESPACE)
        def goodbye(data):
            self.farewell(data["reconnect"], data.get("afterMs", 0))

        @socket.on("connect_error", namespace=NAMESPACE)
        def refused(error):
            data = (error.get("data") if isinstance(error, dict) else None) or {}
            self.farewell(data.get("retry", True), data.get("retryAfterMs", 0))

        return socket

    def farewell(self, may_return, after_ms):
        self.after = after_ms / 1000
        if not may_return:
            self.ended.set()

    def sync(self, stream, cursor):
        """The answer to `sync`, which is good or says `reset`; None where there is none. What can be had a little later is waited for."""
        while not self.ended.is_set():
            try:
                answer = self.socket.call("sync", {"stream": stream, "after": cursor}, namespace=NAMESPACE, timeout=10)
            except (socketio.exceptions.SocketIOError, ValueError):
                return None
            if answer["ok"] or answer["error"]["code"] == "reset":
                return answer
            self.ended.wait(answer["error"].get("retryAfterMs", 1000) / 1000)
        return None

    def replace(self, items):
        """A snapshot: the newest first. What was shown before is not shown again."""
        for notification in reversed(items):
            self.show_once(notification)

    def apply(self, entry):
        """The table of kinds of docs/PROTOCOL.md; this device only shows what is new, and ignores kinds that it does not know."""
        # Of what was taken back since, nothing is left but its name.
        if entry["kind"] == "notification" and entry["data"].keys() & {"text", "url", "thread", "data"}:
            self.show_once(entry["data"])

    def save(self):
        self.memory.save({"cursor": self.inbox.cursor, "seen": sorted(self.seen)})

    def begin_again(self):
        self.socket.disconnect()

    def show_once(self, notification):
        if notification["id"] not in self.seen:
            self.seen.add(notification["id"])
            self.show(notification)


class Memory:
    """What must survive this process. An app keeps it in its database, in the same transaction as what an entry has led to."""

    def __init__(self, path):
        self.path = path

    def load(self):
        try:
            with open(self.path, encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {"cursor": None, "seen": []}

    def save(self, known):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(known, file)
        os.replace(self.path + ".new", self.path)


if __name__ == "__main__":
    member = Member(
        os.environ["BELFRY_URL"],
        lambda: os.environ["BELFRY_TOKEN"],
        Memory(sys.argv[1]),
        lambda notification: print(json.dumps(notification), flush=True),
    )
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: threading.Thread(target=member.stop).start())
    member.run()
