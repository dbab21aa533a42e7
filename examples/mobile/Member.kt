import io.socket.client.Ack
import io.socket.client.IO
import io.socket.client.Manager
import io.socket.client.Socket // io.socket:socket.io-client:2.1.1
import io.socket.engineio.client.transports.WebSocket
import io.socket.thread.EventThread
import org.json.JSONArray
import org.json.JSONObject
import java.net.URI
import java.util.Timer
import kotlin.concurrent.schedule

/** Where a stream was left: the last entry that was applied. */
data class Cursor(val epoch: String, val seq: Long)

/** What a device does with what it is told. Called on one thread, that of the socket's events. */
interface Listener {
    /** How a stream looks now: replaces all that is shown of it. */
    fun onSnapshot(stream: String, items: JSONArray, unread: Int, cursor: Cursor)

    /** Each entry once, in order. Keep `cursor` in the same transaction as what it leads to. */
    fun onEntry(stream: String, entry: JSONObject, cursor: Cursor)

    /** It is over: the code of the service, such as `banned`. */
    fun onEnd(code: String)
}

/**
 * A member's device on both streams, by the client rule of docs/PROTOCOL.md. `token` gives the newest token, from the app's memory; `kept` are
 * the cursors of the last time, by stream.
 */
class Member(url: String, private val token: () -> String, kept: Map<String, Cursor>, private val listener: Listener) {
    private class Stream(var cursor: Cursor?) {
        val held = sortedMapOf<Long, JSONObject>()
        var isCatchingUp = false
    }

    private val streams = listOf("inbox", "announcements").associateWith { Stream(kept[it]) }
    private val timer = Timer(true)
    private var isOver = false

    /** The handshake. The library sends what stands in this map at the time of each connection. */
    private val auth = mutableMapOf<String, Any>()

    private val socket: Socket = IO.socket(
        URI.create("$url/notifications"),
        IO.Options().apply {
            forceNew = true
            transports = arrayOf(WebSocket.NAME)
            reconnectionDelay = 1_000
            reconnectionDelayMax = 5_000
            // It is declared for texts, and becomes a JSON object as it is.
            @Suppress("UNCHECKED_CAST")
            auth = this@Member.auth as Map<String, String>
        },
    )

    init {
        on("snapshot") { take(it) }
        on("entries") { take(it.getString("stream"), it.getString("epoch"), it.getJSONArray("entries")) }
        on("synced") {
            val cursor = streams[it.getString("stream")]?.cursor
            if (cursor?.epoch == it.getString("epoch") && cursor.seq < it.getLong("seq")) catchUp(it.getString("stream"))
        }
        on("goodbye") { if (!it.getBoolean("reconnect")) end(it.getString("code")) }
        socket.on(Socket.EVENT_DISCONNECT) {
            for (stream in streams.values) {
                stream.held.clear()
                stream.isCatchingUp = false
            }
        }
        socket.on(Socket.EVENT_CONNECT_ERROR) { arguments ->
            // A refusal, after which Socket.IO does not come back by itself; without `data` nobody was reached, and it goes on trying.
            val refusal = (arguments.firstOrNull() as? JSONObject)?.optJSONObject("data") ?: return@on
            if (!refusal.getBoolean("retry")) end(refusal.getString("code"))
            else later(refusal.optLong("retryAfterMs", 1_000 + (Math.random() * 4_000).toLong())) { start() }
        }
        socket.io().on(Manager.EVENT_RECONNECT_ATTEMPT) { introduce() }
    }

    fun start() {
        if (isOver) return
        introduce()
        socket.connect()
    }

    /** Marks as read. The mark comes as an entry, too. */
    fun read(ids: List<String>) {
        socket.emit("read", JSONObject().put("ids", JSONArray(ids)))
    }

    /** All that is on the screen was seen: then no push comes for it. */
    fun seen() {
        socket.emit("seen", JSONObject())
    }

    fun stop() {
        isOver = true
        timer.cancel()
        socket.disconnect()
    }

    private fun introduce() {
        auth["token"] = token()
        val cursors = JSONObject()
        for ((name, stream) in streams) stream.cursor?.let { cursors.put(name, toJson(it)) }
        auth["cursors"] = cursors
    }

    private fun end(code: String) {
        isOver = true
        listener.onEnd(code)
    }

    private fun on(event: String, handle: (JSONObject) -> Unit) {
        socket.on(event) { arguments -> (arguments.firstOrNull() as? JSONObject)?.let(handle) }
    }

    private fun later(ms: Long, work: () -> Unit) {
        timer.schedule(ms) { EventThread.exec { if (!isOver) work() } }
    }

    private fun take(snapshot: JSONObject) {
        val name = snapshot.getString("stream")
        val stream = streams[name] ?: return
        val cursor = Cursor(snapshot.getString("epoch"), snapshot.getLong("seq"))
        listener.onSnapshot(name, snapshot.getJSONArray("items"), snapshot.getInt("unread"), cursor)
        stream.cursor = cursor
        stream.held.clear()
    }

    private fun take(name: String, epoch: String, entries: JSONArray) {
        val stream = streams[name] ?: return
        var cursor = stream.cursor ?: return
        if (cursor.epoch != epoch) return
        for (index in 0 until entries.length()) entries.getJSONObject(index).let { stream.held[it.getLong("seq")] = it }
        while (true) {
            val entry = stream.held.remove(cursor.seq + 1) ?: break
            cursor = cursor.copy(seq = cursor.seq + 1)
            listener.onEntry(name, entry, cursor)
        }
        stream.held.headMap(cursor.seq + 1).clear()
        stream.cursor = cursor
        if (stream.held.isNotEmpty()) catchUp(name)
    }

    private fun catchUp(name: String) {
        val stream = streams.getValue(name)
        val cursor = stream.cursor ?: return
        if (stream.isCatchingUp) return
        stream.isCatchingUp = true
        val question = JSONObject().put("stream", name).put("after", toJson(cursor))
        socket.emit("sync", arrayOf(question), Ack { arguments ->
            // Another connection has begun meanwhile, which goes on from the cursor.
            val answer = arguments.firstOrNull() as? JSONObject
            if (!stream.isCatchingUp || answer == null) return@Ack
            stream.isCatchingUp = false
            if (answer.getBoolean("ok")) {
                take(name, cursor.epoch, answer.getJSONArray("entries"))
                if (answer.getBoolean("more")) catchUp(name)
                return@Ack
            }
            val error = answer.getJSONObject("error")
            if (error.getString("code") == "reset") {
                stream.cursor = null
                socket.disconnect()
                start()
            } else {
                later(error.optLong("retryAfterMs", 1_000)) { catchUp(name) }
            }
        })
    }

    private fun toJson(cursor: Cursor): JSONObject = JSONObject().put("epoch", cursor.epoch).put("seq", cursor.seq)
}
