import Foundation
import SocketIO // https://github.com/socketio/socket.io-client-swift, 16.1

/// Where a stream was left: the last entry that was applied.
struct Cursor: Codable {
    let epoch: String
    var seq: Int
}

/// A member's device on both streams, by the client rule of docs/PROTOCOL.md. Everything runs on the main queue.
final class Member {
    /// How a stream looks now: replaces all that is shown of it.
    var onSnapshot: (_ stream: String, _ items: [[String: Any]], _ unread: Int) -> Void = { _, _, _ in }
    /// Each entry once, in order. Keep `cursor` in the same transaction as what it leads to.
    var onEntry: (_ stream: String, _ entry: [String: Any], _ cursor: Cursor) -> Void = { _, _, _ in }
    /// It is over: the code of the service, such as `banned`.
    var onEnd: (_ code: String) -> Void = { _ in }

    private struct Stream {
        var cursor: Cursor?
        var held: [Int: [String: Any]] = [:]
        var isCatchingUp = false
    }

    private let token: (@escaping (String) -> Void) -> Void
    private let manager: SocketManager
    private let socket: SocketIOClient
    private var streams: [String: Stream]
    private var attempts = 0
    private var after: Double = 0
    private var isOver = false
    private var pending: DispatchWorkItem?

    /// `token` gives the member's newest token; `kept` are the cursors of the last time, by stream.
    init(url: URL, kept: [String: Cursor], token: @escaping (@escaping (String) -> Void) -> Void) {
        self.token = token
        streams = ["inbox": Stream(cursor: kept["inbox"]), "announcements": Stream(cursor: kept["announcements"])]
        // It comes back by itself below, because each connection needs the newest token and cursors.
        manager = SocketManager(socketURL: url, config: [.forceWebsockets(true), .reconnects(false)])
        socket = manager.socket(forNamespace: "/notifications")
        listen()
    }

    func start() {
        token { [weak self] token in
            guard let self, !self.isOver else { return }
            let cursors = self.streams.compactMapValues { stream -> [String: Any]? in
                stream.cursor.map { ["epoch": $0.epoch, "seq": $0.seq] }
            }
            self.socket.connect(withPayload: ["token": token, "cursors": cursors])
        }
    }

    /// Marks as read. The mark comes as an entry, too.
    func read(_ ids: [String]) {
        socket.emit("read", ["ids": ids])
    }

    /// All that is on the screen was seen: then no push comes for it.
    func seen() {
        socket.emit("seen", [String: Any]())
    }

    func stop() {
        isOver = true
        pending?.cancel()
        manager.disconnect()
    }

    private func listen() {
        on("snapshot") { [weak self] data in self?.take(snapshot: data) }
        on("entries") { [weak self] data in
            guard let name = data["stream"] as? String, let epoch = data["epoch"] as? String,
                  let entries = data["entries"] as? [[String: Any]] else { return }
            self?.take(entries, of: name, epoch)
        }
        on("synced") { [weak self] data in
            guard let self, let name = data["stream"] as? String, let cursor = self.streams[name]?.cursor,
                  cursor.epoch == data["epoch"] as? String, let seq = data["seq"] as? Int, seq > cursor.seq else { return }
            self.catchUp(name)
        }
        on("goodbye") { [weak self] data in self?.farewell(data, mayReturn: data["reconnect"] as? Bool ?? true) }
        socket.on(clientEvent: .connect) { [weak self] _, _ in self?.attempts = 0 }
        socket.on(clientEvent: .disconnect) { [weak self] _, _ in self?.comeBack() }
        socket.on(clientEvent: .error) { [weak self] data, _ in
            // A refusal has `data`; without it nobody was reached.
            if let refusal = (data.first as? [String: Any])?["data"] as? [String: Any] {
                self?.farewell(refusal, mayReturn: refusal["retry"] as? Bool ?? true)
            }
            if self?.socket.status != .connected { self?.comeBack() }
        }
    }

    private func on(_ event: String, _ handler: @escaping ([String: Any]) -> Void) {
        socket.on(event) { data, _ in
            if let payload = data.first as? [String: Any] { handler(payload) }
        }
    }

    private func farewell(_ data: [String: Any], mayReturn: Bool) {
        after = Double((data["afterMs"] ?? data["retryAfterMs"]) as? Int ?? 0) / 1000
        guard !mayReturn else { return }
        isOver = true
        onEnd(data["code"] as? String ?? "")
    }

    /// Full jitter from 1 to 5 s, so that all members of a node do not come back at once; longer where the service asks for it.
    private func comeBack() {
        for name in streams.keys {
            streams[name]?.held = [:]
            streams[name]?.isCatchingUp = false
        }
        pending?.cancel()
        guard !isOver else { return }
        let work = DispatchWorkItem { [weak self] in self?.start() }
        pending = work
        let wait = max(after, Double.random(in: 0...1) * min(5, pow(2, Double(attempts))))
        attempts += 1
        after = 0
        DispatchQueue.main.asyncAfter(deadline: .now() + wait, execute: work)
    }

    private func take(snapshot: [String: Any]) {
        guard let name = snapshot["stream"] as? String, streams[name] != nil, let epoch = snapshot["epoch"] as? String,
              let seq = snapshot["seq"] as? Int, let items = snapshot["items"] as? [[String: Any]] else { return }
        onSnapshot(name, items, snapshot["unread"] as? Int ?? 0)
        streams[name]?.cursor = Cursor(epoch: epoch, seq: seq)
        streams[name]?.held = [:]
    }

    private func take(_ entries: [[String: Any]], of name: String, _ epoch: String) {
        guard var stream = streams[name], var cursor = stream.cursor, cursor.epoch == epoch else { return }
        for entry in entries {
            if let seq = entry["seq"] as? Int { stream.held[seq] = entry }
        }
        while let entry = stream.held.removeValue(forKey: cursor.seq + 1) {
            cursor.seq += 1
            onEntry(name, entry, cursor)
        }
        stream.held = stream.held.filter { $0.key > cursor.seq }
        stream.cursor = cursor
        streams[name] = stream
        if !stream.held.isEmpty { catchUp(name) }
    }

    private func catchUp(_ name: String) {
        guard let stream = streams[name], let cursor = stream.cursor, !stream.isCatchingUp else { return }
        streams[name]?.isCatchingUp = true
        let payload: [String: Any] = ["stream": name, "after": ["epoch": cursor.epoch, "seq": cursor.seq]]
        socket.emitWithAck("sync", payload).timingOut(after: 10) { [weak self] data in
            // Another connection has begun meanwhile, which goes on from the cursor.
            guard let self, self.streams[name]?.isCatchingUp == true else { return }
            self.streams[name]?.isCatchingUp = false
            guard let answer = data.first as? [String: Any] else { return }
            if answer["ok"] as? Bool == true {
                self.take(answer["entries"] as? [[String: Any]] ?? [], of: name, cursor.epoch)
                if answer["more"] as? Bool == true { self.catchUp(name) }
                return
            }
            let error = answer["error"] as? [String: Any] ?? [:]
            if error["code"] as? String == "reset" {
                self.streams[name]?.cursor = nil
                self.manager.disconnect()
                return
            }
            let wait = Double(error["retryAfterMs"] as? Int ?? 1000) / 1000
            DispatchQueue.main.asyncAfter(deadline: .now() + wait) { [weak self] in self?.catchUp(name) }
        }
    }
}
