/**
 * Baseline (d): what one would write by hand. Express takes the event, mongoose creates one document a recipient with the replica set's
 * default write concern, and Socket.IO emits it to the user's room.
 */
import { createServer } from "node:http";
import express from "express";
import mongoose from "mongoose";
import { Server } from "socket.io";

const notificationSchema = new mongoose.Schema(
  {
    user: { type: String, required: true, index: true },
    reason: { type: String, required: true },
    type: { type: String, required: true },
    actor: { id: String, name: String },
    thread: { id: String, title: String, url: String },
    comment: { id: String, url: String },
    text: String,
    url: String,
    readAt: { type: Date, default: null },
    archivedAt: { type: Date, default: null },
  },
  { timestamps: true },
);
const Notification = mongoose.model("Notification", notificationSchema);

await mongoose.connect(process.env.MONGODB_URL);
await Notification.init();

const app = express();
const http = createServer(app);
const io = new Server(http, { serveClient: false });
io.on("connection", (socket) => socket.join(socket.handshake.auth.user));

app.use(express.json());
app.post("/v1/events", async (request, response) => {
  if (request.get("authorization") !== `Bearer ${process.env.API_KEY}`) {
    response.sendStatus(401);
    return;
  }
  const { id, actor, thread, comment } = request.body;
  const notified = [];
  for (const user of comment.mentions) {
    const notification = await Notification.create({
      user,
      reason: "mention",
      type: "comment",
      actor,
      thread,
      comment,
      text: comment.excerpt,
      url: comment.url,
    });
    io.to(user).emit("notification", notification);
    notified.push({ user, reason: "mention", id: notification.id });
  }
  response.status(202).json({ id, duplicate: false, notified, skipped: [] });
});

process.on("SIGTERM", () => process.exit(0));
http.listen(0, "127.0.0.1", () => process.stdout.write(`listening on http://127.0.0.1:${http.address().port}\n`));
